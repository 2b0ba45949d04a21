"""A listener: what a load balancer does with requests on one of its ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.certificate import Certificate
from drctl.resources.load_balancer import LoadBalancer
from drctl.resources.target_group import TargetGroup

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        ActionTypeDef,
        CertificateTypeDef,
        ListenerTypeDef,
        RedirectActionConfigTypeDef,
    )

    from drctl.aws.clients import Aws

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3 and 1.2 only (Application Load Balancer user guide, "Security policies")."""


class Settings(TypedDict, total=False):
    """Protocol and TLS, in the API's own parameters."""

    Protocol: Literal["HTTP", "HTTPS"]
    SslPolicy: str
    Certificates: list[CertificateTypeDef]


@dataclass(frozen=True)
class ListenerOutputs:
    arn: str


@resource
class Listener(Resource[ListenerOutputs]):
    """target_group: where requests go; None redirects them to HTTPS on port 443
    certificate: None speaks HTTP
    """

    kind: ClassVar[str] = "listener"
    fixed: ClassVar[frozenset[str]] = frozenset({"load_balancer", "port"})

    load_balancer: LoadBalancer
    port: int
    target_group: TargetGroup | None
    certificate: Certificate | None

    def read(self, aws: Aws, given: Given) -> Observed[ListenerOutputs] | None:
        listener = self._find(aws, given)
        if listener is None:
            return None
        arn = listener["ListenerArn"]
        described = aws.elbv2(self.region).describe_tags(ResourceArns=[arn])["TagDescriptions"]
        given.claim(self, tags.as_dict(described[0]["Tags"]))
        actual = {
            "load_balancer": listener["LoadBalancerArn"],
            "port": listener["Port"],
            "protocol": listener["Protocol"],
            "certificate": next((each["CertificateArn"] for each in listener.get("Certificates", [])), None),
            "tls_policy": listener.get("SslPolicy") or None,
            "action": says(listener["DefaultActions"]),
        }
        desired = {
            "load_balancer": given[self.load_balancer].arn,
            "port": self.port,
            "protocol": "HTTPS" if self.certificate else "HTTP",
            "certificate": given[self.certificate].arn if self.certificate else None,
            "tls_policy": TLS_POLICY if self.certificate else None,
            "action": says(self._actions(given)),
        }
        return Observed(ListenerOutputs(arn), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> ListenerOutputs:
        made = aws.elbv2(self.region).create_listener(
            LoadBalancerArn=given[self.load_balancer].arn,
            Port=self.port,
            DefaultActions=self._actions(given),
            Tags=tags.as_list(given.tags(self)),
            **self._settings(given),
        )
        return ListenerOutputs(made["Listeners"][0]["ListenerArn"])

    def update(self, aws: Aws, given: Given, observed: Observed[ListenerOutputs]) -> None:
        aws.elbv2(self.region).modify_listener(
            ListenerArn=observed.outputs.arn, DefaultActions=self._actions(given), **self._settings(given)
        )

    def delete(self, aws: Aws, outputs: ListenerOutputs) -> None:
        aws.elbv2(self.region).delete_listener(ListenerArn=outputs.arn)

    def _settings(self, given: Given) -> Settings:
        if self.certificate is None:
            return {"Protocol": "HTTP"}
        certificates: list[CertificateTypeDef] = [{"CertificateArn": given[self.certificate].arn}]
        return {"Protocol": "HTTPS", "SslPolicy": TLS_POLICY, "Certificates": certificates}

    def _actions(self, given: Given) -> list[ActionTypeDef]:
        if self.target_group is not None:
            return [{"Type": "forward", "TargetGroupArn": given[self.target_group].arn}]
        to_https: RedirectActionConfigTypeDef = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        return [{"Type": "redirect", "RedirectConfig": to_https}]

    def _find(self, aws: Aws, given: Given) -> ListenerTypeDef | None:
        elbv2, recorded = aws.elbv2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                return elbv2.describe_listeners(ListenerArns=[recorded.arn])["Listeners"][0]
        with tolerating_absence():
            listeners = elbv2.describe_listeners(LoadBalancerArn=given[self.load_balancer].arn)["Listeners"]
            return next((each for each in listeners if each["Port"] == self.port), None)
        return None


def says(actions: Sequence[Mapping[str, Any]]) -> str:
    """What actions do, in words, without what AWS fills in by itself (weights, placeholders of a redirect)."""
    words = []
    for action in actions:
        if action["Type"] == "redirect":
            to = action["RedirectConfig"]
            words.append(f"redirect to {to.get('Protocol')}:{to.get('Port')} by {to['StatusCode']}")
        else:
            words.append(f"{action['Type']} to {action.get('TargetGroupArn')}")
    return ", ".join(words)
