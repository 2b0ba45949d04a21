"""remove, where a kind's whole life (tests/contract.py) does not reach: what a killed run asked for and nobody saw."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from tests.contract import ENVIRONMENT, Trial
from tests.resources.test_monitoring import ALARM

if TYPE_CHECKING:
    from tests.conftest import Sim


def test_what_an_update_that_is_still_under_way_brings_back_goes_too(sim: Sim, tmp_path: Path) -> None:
    """PutMetricAlarm sets the whole of an alarm: executed after its removal, it makes it anew."""
    cloudwatch = sim.client("cloudwatch", ALARM.region)
    ours = {"drctl:environment": ENVIRONMENT, "drctl:address": ALARM.address}
    with Trial(sim, tmp_path) as trial:
        trial.ensure(ALARM)
        record = trial.run.record(ALARM)
        trial.run.ledger.put(record.with_intent(trial.run.intend("update")))
        sim.set_speed(60)
        trial.run.clock = sim.clock
        sim.fault("latency", operation="PutMetricAlarm", seconds=30.0, times=1)
        late = Thread(
            target=cloudwatch.put_metric_alarm,
            kwargs={
                "AlarmName": ALARM.aws_name,
                "Namespace": "demo",
                "MetricName": "Heartbeat",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1.0,
                "ComparisonOperator": "LessThanThreshold",
                "Tags": [{"Key": key, "Value": value} for key, value in ours.items()],
            },
        )
        late.start()
        while not sim.faults()[0]["hit"]:
            time.sleep(0.01)

        trial.remove(ALARM)

        late.join()
        assert cloudwatch.describe_alarms()["MetricAlarms"] == []
        assert trial.run.ledger.records().get(ALARM.address) is None
