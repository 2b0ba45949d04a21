"""Many looks answered by one list: what an inspection of a whole environment costs in calls.

A kind looks at one thing at a time. AWS describes a hundred subnets, or tells the tags of a hundred things, as readily
as one. A door with listings (``Aws.listed``) asks for such a list when the first look needs it, answers the looks from
it, and sends on whatever the list does not hold: a list only ever saves calls, it decides nothing. It is for looking
alone, because it is as old as the first look.

To list another kind, add how it is listed to LISTS, and the looks that this answers to LOOKS.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore import xform_name
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.tags import as_dict

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from drctl.aws.clients import Aws

Item = Mapping[str, Any]
Request = Mapping[str, Any]

FILTER_VALUES = 200
"""Values that one of EC2's filters takes (EC2 API reference, "Filter")."""
SERVICES_AT_ONCE = 10
"""Services that one DescribeServices takes (ECS API reference)."""
TARGETS_AT_ONCE = 50
"""Resources that one DescribeScalableTargets takes (Application Auto Scaling API reference)."""
MOST_PAGES = 10
"""Of a list that also holds what others have on the account: one that is longer costs more than it saves."""
PAGE = {"PageSize": 100}
"""As many items a page as AWS gives, where it gives fewer when nobody asks."""


class TooLong(Exception):
    """A list has too many pages."""


class Listings:
    """The lists of one inspection, each made when it is first needed. Thread-safe."""

    environment: str
    aws: Aws
    """The door that answers from them, and at which they are asked for themselves."""

    def __init__(self, environment: str, door: Callable[[Listings], Aws]) -> None:
        """door: the door that is to answer from these."""
        self.environment = environment
        self.aws = door(self)
        self._here = threading.local()
        self._guard = threading.Lock()
        self._making: dict[tuple[str, str], threading.Lock] = {}
        self._made: dict[tuple[str, str], list[Item]] = {}
        self._by_key: dict[tuple[Look, str], dict[str, list[Item]]] = {}

    def answer(self, service: str, operation: str, region: str, request: Request) -> dict[str, Any] | None:
        """The response to a look, or None: they do not hold all it asks for, or it asks for one of them."""
        if getattr(self._here, "asking", False):
            return None
        for look in LOOKS.get((service, operation), ()):
            asked = look.asked(request)
            if not asked:
                continue
            held = self._index(look, region)
            if all(key in held for key in asked):
                return look.answer([item for key in asked for item in held[key]])
        return None

    def items(self, name: str, region: str) -> list[Item]:
        """A whole list; empty where AWS refuses it, or it is too long: each look is then a call of its own."""
        key = name, region
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._made:
                self._made[key] = self._make(name, region)
        return self._made[key]

    def _make(self, name: str, region: str) -> list[Item]:
        already = getattr(self._here, "asking", False)
        self._here.asking = True
        try:
            return list(LISTS[name](self, region))
        except (ClientError, BotoCoreError, TooLong):
            return []
        finally:
            self._here.asking = already

    def pages(
        self, service: str, operation: str, items: str, region: str, **request: object
    ) -> Iterator[Any]:
        """The items of all pages of one call. Raises TooLong."""
        pages = self.aws.client(service, region).get_paginator(xform_name(operation))
        for number, page in enumerate(pages.paginate(**request)):
            if number == MOST_PAGES:
                raise TooLong(f"{service} {operation}")
            yield from page.get(items, [])

    def services(self, cluster: str, arns: Sequence[str], region: str) -> Iterator[Item]:
        """ECS services of a cluster as DescribeServices, which has no pages, describes them."""
        ecs = self.aws.ecs(region)
        for chunk in _chunks(arns, SERVICES_AT_ONCE):
            found = ecs.describe_services(cluster=cluster, services=chunk, include=["TAGS"])["services"]
            yield from cast("list[Item]", found)

    def _index(self, look: Look, region: str) -> dict[str, list[Item]]:
        items = self.items(look.of, region)
        with self._guard:
            if (look, region) not in self._by_key:
                index: dict[str, list[Item]] = {}
                for item in items:
                    for key in look.keys(item):
                        index.setdefault(key, []).append(item)
                self._by_key[look, region] = index
            return self._by_key[look, region]


def consult(client: BaseClient, listings: Listings) -> None:
    """Let this client answer from the lists what they hold."""
    service, region = client.meta.service_model.service_name, client.meta.region_name

    def asked(params: Request, context: dict[str, Any], **_: object) -> None:
        context["drctl.asked"] = params

    def answered(model: Any, context: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
        found = listings.answer(service, model.name, region, context.get("drctl.asked", {}))
        if found is None:
            return None
        # A copy: boto3, and whoever asked, may change what they get.
        answer = {**copy.deepcopy(found), "ResponseMetadata": {"HTTPStatusCode": 200}}
        return AWSResponse("", 200, HTTPHeaders(), None), answer

    client.meta.events.register("provide-client-params.*.*", asked)
    # First: what a list answers is no call, so nobody who witnesses calls hears of it.
    cast("Any", client.meta.events).register_first("before-call.*.*", answered)


def _tagged(operation: str, items: str) -> Callable[[Listings, str], Iterable[Item]]:
    """EC2: everything that carries the environment's tag."""
    return lambda listings, region: listings.pages(
        "ec2",
        operation,
        items,
        region,
        Filters=[{"Name": "tag:drctl:environment", "Values": [listings.environment]}],
    )


def _security_group_rules(listings: Listings, region: str) -> Iterator[Item]:
    """All rules of our groups, also those that somebody else has put there."""
    groups = [group["GroupId"] for group in listings.items("security groups", region)]
    for chunk in _chunks(groups, FILTER_VALUES):
        filters = [{"Name": "group-id", "Values": chunk}]
        yield from listings.pages(
            "ec2", "DescribeSecurityGroupRules", "SecurityGroupRules", region, Filters=filters
        )


def _load_balancers(listings: Listings, region: str) -> Iterator[Item]:
    for each in listings.pages("elbv2", "DescribeLoadBalancers", "LoadBalancers", region):
        if each["LoadBalancerName"].startswith(f"{listings.environment}-"):
            yield each


def _listeners(listings: Listings, region: str) -> Iterator[Item]:
    for each in listings.items("load balancers", region):
        arn = each["LoadBalancerArn"]
        yield from listings.pages("elbv2", "DescribeListeners", "Listeners", region, LoadBalancerArn=arn)


def _listener_rules(listings: Listings, region: str) -> Iterator[Item]:
    for each in listings.items("listeners", region):
        arn = each["ListenerArn"]
        yield from listings.pages("elbv2", "DescribeRules", "Rules", region, ListenerArn=arn)


def _ecs_services(listings: Listings, region: str) -> Iterator[Item]:
    for cluster in listings.pages("ecs", "ListClusters", "clusterArns", region):
        name = cluster.rpartition("/")[2]
        if name.startswith(f"{listings.environment}-") or name == listings.environment:
            arns = list(
                listings.pages(
                    "ecs", "ListServices", "serviceArns", region, cluster=cluster, PaginationConfig=PAGE
                )
            )
            yield from listings.services(cluster, arns, region)


def _scalable_targets(listings: Listings, region: str) -> Iterator[Item]:
    for chunk in _chunks(_scalable(listings, region), TARGETS_AT_ONCE):
        yield from listings.pages(
            "application-autoscaling",
            "DescribeScalableTargets",
            "ScalableTargets",
            region,
            ServiceNamespace="ecs",
            ResourceIds=chunk,
        )


def _scaling_policies(listings: Listings, region: str) -> Iterator[Item]:
    for resource in _scalable(listings, region):
        yield from listings.pages(
            "application-autoscaling",
            "DescribeScalingPolicies",
            "ScalingPolicies",
            region,
            ServiceNamespace="ecs",
            ResourceId=resource,
        )


def _scalable(listings: Listings, region: str) -> list[str]:
    """Our services as Application Auto Scaling names them."""
    return [
        f"service/{each['clusterArn'].rpartition('/')[2]}/{each['serviceName']}"
        for each in listings.items("services", region)
    ]


def _log_groups(listings: Listings, region: str) -> Iterator[Item]:
    """By the beginnings that our log groups' names have: asked by a pattern, AWS tells little more than names."""
    names = (each["ResourceARN"].partition(":log-group:")[2] for each in listings.items("tags", region))
    parts = (name.rpartition("/") for name in names)
    folders = {folder for folder, _, last in parts if last.startswith(f"{listings.environment}-")}
    for folder in sorted(folders):
        prefix = f"{folder}/{listings.environment}-"
        yield from listings.pages("logs", "DescribeLogGroups", "logGroups", region, logGroupNamePrefix=prefix)


LISTS: Mapping[str, Callable[[Listings, str], Iterable[Item]]] = {
    "subnets": _tagged("DescribeSubnets", "Subnets"),
    "route tables": _tagged("DescribeRouteTables", "RouteTables"),
    "security groups": _tagged("DescribeSecurityGroups", "SecurityGroups"),
    "security group rules": _security_group_rules,
    "load balancers": _load_balancers,
    "listeners": _listeners,
    "listener rules": _listener_rules,
    "target groups": lambda listings, region: listings.pages(
        "elbv2", "DescribeTargetGroups", "TargetGroups", region
    ),
    "services": _ecs_services,
    "scalable targets": _scalable_targets,
    "scaling policies": _scaling_policies,
    "alarms": lambda listings, region: listings.pages(
        "cloudwatch",
        "DescribeAlarms",
        "MetricAlarms",
        region,
        AlarmNamePrefix=f"{listings.environment}-",
        AlarmTypes=["MetricAlarm"],
        PaginationConfig=PAGE,
    ),
    "buckets": lambda listings, region: listings.pages(
        "s3",
        "ListBuckets",
        "Buckets",
        region,
        BucketRegion=region,
        Prefix=f"{listings.environment}-",
    ),
    "log groups": _log_groups,
    "tags": lambda listings, region: listings.pages(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        region,
        TagFilters=[{"Key": "drctl:environment", "Values": [listings.environment]}],
        PaginationConfig=PAGE,
    ),
}
"""What is listed, and how, in a region."""


@dataclass(frozen=True)
class Look:
    """A look at single things that a list answers as well.

    of: the list's name
    asked: what a request asks for; empty when it is another kind of look
    keys: what an item is asked for by
    answer: the response that holds these items
    """

    of: str
    asked: Callable[[Request], Sequence[str]]
    keys: Callable[[Item], Iterable[str]]
    answer: Callable[[list[Item]], dict[str, Any]]


def _one_of(parameter: str, **beside: object) -> Callable[[Request], Sequence[str]]:
    """A request for things by their ids or names, and by nothing else but what is the same in all such requests."""

    def asked(request: Request) -> Sequence[str]:
        wanted = request.get(parameter, [])
        if {**request, parameter: None} != {**beside, parameter: None}:
            return []
        return [wanted] if isinstance(wanted, str) else wanted

    return asked


def _filtered(name: str) -> Callable[[Request], Sequence[str]]:
    """A request by this filter of EC2's alone."""

    def asked(request: Request) -> Sequence[str]:
        filters = request.get("Filters", [])
        by_it = request.keys() == {"Filters"} and len(filters) == 1 and filters[0]["Name"] == name
        return filters[0]["Values"] if by_it else []

    return asked


def _by(of: str, parameter: str, key: str, items: str) -> Look:
    """``parameter`` of the request names ``key`` of the items, which the answer holds as ``items``."""
    return Look(of, _one_of(parameter), lambda item: [item[key]], lambda found: {items: found})


def _tags_of(parameter: str, answer: Callable[[list[Item]], dict[str, Any]]) -> Look:
    return Look("tags", _one_of(parameter), lambda item: [item["ResourceARN"]], answer)


def _tag_list(name: str) -> Callable[[list[Item]], dict[str, Any]]:
    return lambda items: {name: items[0]["Tags"]}


def _one_in(place: str, parameter: str, **beside: object) -> Callable[[Request], Sequence[str]]:
    """The same for things whose names tell them apart only within a ``place``: "PLACE NAME"."""
    by_name = _one_of(parameter, **beside)

    def asked(request: Request) -> Sequence[str]:
        others = {key: value for key, value in request.items() if key != place}
        return [f"{request.get(place)} {name}" for name in by_name(others)]

    return asked


LOOKS: Mapping[tuple[str, str], Sequence[Look]] = {
    ("ec2", "DescribeSubnets"): [_by("subnets", "SubnetIds", "SubnetId", "Subnets")],
    ("ec2", "DescribeRouteTables"): [
        _by("route tables", "RouteTableIds", "RouteTableId", "RouteTables"),
        Look(
            "route tables",
            _filtered("association.subnet-id"),
            lambda table: [each["SubnetId"] for each in table["Associations"] if "SubnetId" in each],
            lambda tables: {"RouteTables": tables},
        ),
    ],
    ("ec2", "DescribeSecurityGroups"): [_by("security groups", "GroupIds", "GroupId", "SecurityGroups")],
    ("ec2", "DescribeSecurityGroupRules"): [
        _by("security group rules", "SecurityGroupRuleIds", "SecurityGroupRuleId", "SecurityGroupRules"),
        Look(
            "security group rules",
            _filtered("group-id"),
            lambda rule: [rule["GroupId"]],
            lambda rules: {"SecurityGroupRules": rules},
        ),
    ],
    ("ecs", "DescribeServices"): [
        Look(
            "services",
            _one_in("cluster", "services", include=["TAGS"]),
            lambda service: [f"{service['clusterArn'].rpartition('/')[2]} {service['serviceName']}"],
            lambda services: {"services": services, "failures": []},
        )
    ],
    ("elbv2", "DescribeLoadBalancers"): [
        _by("load balancers", "LoadBalancerArns", "LoadBalancerArn", "LoadBalancers")
    ],
    ("elbv2", "DescribeListeners"): [_by("listeners", "ListenerArns", "ListenerArn", "Listeners")],
    ("elbv2", "DescribeRules"): [_by("listener rules", "RuleArns", "RuleArn", "Rules")],
    ("elbv2", "DescribeTargetGroups"): [
        _by("target groups", "TargetGroupArns", "TargetGroupArn", "TargetGroups")
    ],
    ("elbv2", "DescribeTags"): [
        _tags_of(
            "ResourceArns",
            lambda items: {
                "TagDescriptions": [{"ResourceArn": i["ResourceARN"], "Tags": i["Tags"]} for i in items]
            },
        )
    ],
    ("application-autoscaling", "DescribeScalableTargets"): [
        Look(
            "scalable targets",
            _one_of("ResourceIds", ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount"),
            lambda target: [target["ResourceId"]],
            lambda targets: {"ScalableTargets": targets},
        )
    ],
    ("application-autoscaling", "DescribeScalingPolicies"): [
        Look(
            "scaling policies",
            _one_in("ResourceId", "PolicyNames", ServiceNamespace="ecs"),
            lambda policy: [f"{policy['ResourceId']} {policy['PolicyName']}"],
            lambda policies: {"ScalingPolicies": policies},
        )
    ],
    ("cloudwatch", "DescribeAlarms"): [
        Look(
            "alarms",
            _one_of("AlarmNames", AlarmTypes=["MetricAlarm", "CompositeAlarm"]),
            lambda alarm: [alarm["AlarmName"]],
            lambda alarms: {"MetricAlarms": alarms, "CompositeAlarms": []},
        )
    ],
    ("logs", "DescribeLogGroups"): [_by("log groups", "logGroupNamePrefix", "logGroupName", "logGroups")],
    ("cloudwatch", "ListTagsForResource"): [_tags_of("ResourceARN", _tag_list("Tags"))],
    ("dynamodb", "ListTagsOfResource"): [_tags_of("ResourceArn", _tag_list("Tags"))],
    ("events", "ListTagsForResource"): [_tags_of("ResourceARN", _tag_list("Tags"))],
    ("logs", "ListTagsForResource"): [
        _tags_of("resourceArn", lambda items: {"tags": as_dict(items[0]["Tags"])})
    ],
    ("rds", "ListTagsForResource"): [_tags_of("ResourceName", _tag_list("TagList"))],
    ("s3", "HeadBucket"): [Look("buckets", _one_of("Bucket"), lambda bucket: [bucket["Name"]], lambda _: {})],
    ("s3", "GetBucketTagging"): [
        Look(
            "tags",
            _one_of("Bucket"),
            lambda item: [item["ResourceARN"].partition(":s3:::")[2]],
            _tag_list("TagSet"),
        )
    ],
    ("sns", "ListTagsForResource"): [_tags_of("ResourceArn", _tag_list("Tags"))],
}
"""Which looks a list answers; the first that fits does."""


def _chunks(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
