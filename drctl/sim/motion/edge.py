"""CloudFront's edge locations, which go on in any outage: behaviours, origins, and the other origin of a group.

Nothing is cached: every request goes to an origin. A distribution serves the settings that were deployed last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.gaps.cloudfront import KIND, distributions
from drctl.sim.lifecycle.acm import certificate_of, names_of
from drctl.sim.motion import addresses, balancer, bucket_origin
from drctl.sim.motion.http import READING, Request, Response
from drctl.sim.motion.pattern import covers, matches
from drctl.sim.registry import after, event
from drctl.sim.world import World

DEPLOYED = "edge.deployed"
"""World's section: distribution id -> the DistributionConfig that the edge locations have. Also the event's name."""

OWN_NAMES = ("*.cloudfront.net",)
"""What CloudFront's own certificate is for."""

UNREACHABLE = Response(504, {"Content-Type": "text/html"}, b"<h1>504 Gateway Timeout ERROR</h1>")
UNRESOLVED = Response(
    502, {"Content-Type": "text/html"}, b"<h1>502 ERROR: the origin cannot be resolved</h1>"
)
UNTRUSTED = Response(502, {"Content-Type": "text/html"}, b"<h1>502 ERROR: the origin's certificate</h1>")
"""Developer guide, "HTTP 504 status code" and "HTTP 502 status code": nobody answers; no such name; a certificate that
does not fit the name."""


@after("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
def settings_travel(call: Call, world: World, answer: Answer) -> None:
    """The edge locations have them when the distribution is Deployed."""
    distribution = answer["Distribution"]
    remaining = world.transitions[KIND, distribution["Id"]].until - world.now
    world.later(remaining, DEPLOYED, account=call.account, id=distribution["Id"], etag=answer["ETag"])


@event(DEPLOYED)
def settings_arrive(world: World, moto: Moto, data: dict[str, Any]) -> None:
    held = distributions(world).get((data["account"], data["id"]))
    if held is not None and held["etag"] == data["etag"]:
        world.section(DEPLOYED)[data["id"]] = held["config"]


@after("cloudfront", "DeleteDistribution")
def settings_go(call: Call, world: World, answer: Answer) -> None:
    world.section(DEPLOYED).pop(call.params["Id"], None)


def deployed(world: World, distribution_id: str) -> dict[str, Any] | None:
    """The settings a distribution serves; None: it serves nothing, being disabled, gone or never deployed yet."""
    config: dict[str, Any] | None = world.section(DEPLOYED).get(distribution_id)
    return config if config is not None and config["Enabled"] else None


def certificate(world: World, distribution_id: str, host: str) -> tuple[str, ...] | None:
    """The names of the certificate that the edge presents for a host; None: the distribution does not take it."""
    held, config = _held(world, distribution_id), deployed(world, distribution_id)
    if held is None or config is None:
        return None
    if host == held["domain"]:
        return OWN_NAMES
    arn = config["ViewerCertificate"].get("ACMCertificateArn")
    if arn is None or not any(covers(alias, host) for alias in config["Aliases"].get("Items", [])):
        return None
    found = certificate_of(held["arn"].split(":")[4], "us-east-1", arn)
    names = tuple(names_of(found)) if found is not None else ()
    return names if any(covers(name, host) for name in names) else None


def answer(world: World, moto: Moto, distribution_id: str, request: Request) -> Response | None:
    """What the edge answers; None: the distribution is not served."""
    held, config = _held(world, distribution_id), deployed(world, distribution_id)
    if held is None or config is None:
        return None
    names = [held["domain"], *config["Aliases"].get("Items", [])]
    if not any(covers(name, request.host) for name in names):
        return _own(403, b"Bad request: no distribution has this name")
    behaviour = _behaviour(config, request)
    if not request.secure and behaviour["ViewerProtocolPolicy"] != "allow-all":
        return _insist(behaviour, request)
    if request.method not in behaviour["AllowedMethods"]["Items"]:
        return _own(403, b"This distribution is not configured to allow the HTTP request method")
    response = UNREACHABLE
    for origin, failures in _origins(config, behaviour["TargetOriginId"], request):
        response = _ask(world, moto, held, origin, request)
        if response.status not in failures and not (response is UNREACHABLE and 503 in failures):
            break
    seen = "Error" if response.status >= 400 else "Miss"
    return Response(
        response.status, {**response.headers, "X-Cache": f"{seen} from cloudfront"}, response.body
    )


def _held(world: World, distribution_id: str) -> dict[str, Any] | None:
    return next((held for (_, known), held in distributions(world).items() if known == distribution_id), None)


def _own(status: int, text: bytes, **headers: str) -> Response:
    return Response(status, {"Server": "CloudFront", "Content-Type": "text/html", **headers}, text)


def _behaviour(config: dict[str, Any], request: Request) -> dict[str, Any]:
    """The first whose pattern fits (CacheBehavior API reference); the leading slash of a pattern is optional."""
    for behaviour in config["CacheBehaviors"].get("Items", []):
        if matches("/" + behaviour["PathPattern"].lstrip("/"), request.route):
            found: dict[str, Any] = behaviour
            return found
    default: dict[str, Any] = config["DefaultCacheBehavior"]
    return default


def _insist(behaviour: dict[str, Any], request: Request) -> Response:
    """Developer guide, "Require HTTPS for communication between viewers and CloudFront"."""
    if behaviour["ViewerProtocolPolicy"] == "https-only":
        return _own(403, b"HTTPS is required")
    status = 301 if request.method in ("GET", "HEAD") else 307
    return _own(status, b"", Location=f"https://{request.host}{request.path}")


def _origins(
    config: dict[str, Any], target: str, request: Request
) -> Iterator[tuple[dict[str, Any], frozenset[int]]]:
    """The origins to ask, each with the statuses on which the next is asked.

    Developer guide, "Optimize high availability with CloudFront origin failover": only reads fail over, on the group's
    statuses; 503 among them also means a connection that fails, 504 an answer that does not come.
    """
    origins = {origin["Id"]: origin for origin in config["Origins"]["Items"]}
    groups = {group["Id"]: group for group in config["OriginGroups"].get("Items", [])}
    if target not in groups:
        yield origins[target], frozenset()
        return
    first, second = (origins[member["OriginId"]] for member in groups[target]["Members"]["Items"])
    fails = frozenset(groups[target]["FailoverCriteria"]["StatusCodes"]["Items"])
    yield first, fails if request.method in READING else frozenset()
    yield second, frozenset()


def _ask(
    world: World, moto: Moto, held: dict[str, Any], origin: dict[str, Any], request: Request
) -> Response:
    if "S3OriginConfig" in origin:
        return bucket_origin.answer(world, held, origin, request) or UNREACHABLE
    settings, name = origin["CustomOriginConfig"], origin["DomainName"]
    policy = settings["OriginProtocolPolicy"]
    secure = policy == "https-only" or (policy == "match-viewer" and request.secure)
    port = int(settings["HTTPSPort" if secure else "HTTPPort"])
    forwarded = Request(
        request.method,
        name.lower(),
        origin.get("OriginPath", "") + request.path,
        {**request.headers, "via": "1.1 cloudfront"},
        request.body,
        secure,
    )
    found = _resolve(world, name)
    if not found:
        return UNRESOLVED
    for address in found:
        kind, arn = addresses.owner(world, address) or (None, "")
        if kind != "balancer" or balancer.listening(world, arn, port) is None:
            continue
        if secure and balancer.certificate(world, arn, port, name) is None:
            return UNTRUSTED
        return balancer.answer(world, moto, arn, port, forwarded) or UNREACHABLE
    return UNREACHABLE


def _resolve(world: World, name: str) -> list[str]:
    from drctl.sim.motion import routing

    return routing.addresses(world, name)
