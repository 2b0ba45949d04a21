"""What a single value of the settings may be: AWS's own rules, each with its source.

A rule is attached to a field with `Annotated`. It refuses with a cause (what is wrong with the value given) and a
remedy (what is allowed), both written for the operator; `drctl.settings.file` adds where in the file.
"""

import difflib
import json
import re
from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

REFUSED = "refused"
"""The error type of every refusal of ours; its context holds `cause` and `remedy`."""


def words(text: str) -> frozenset[str]:
    """The words of a text as a set: long lists of names stay readable."""
    return frozenset(text.split())


# The regions of the partition "aws". Source: AWS General Reference, "Regions and Availability Zones"; the list is
# kept here because settings are read before anything of the SDK is loaded.
COMMERCIAL_REGIONS = words(
    """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
    ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
    ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2
    eu-west-3 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1
    us-east-2 us-west-1 us-west-2
    """
)

# Memory in MiB that Fargate offers for each CPU size. Source: Amazon ECS API, RegisterTaskDefinition, `memory`.
FARGATE_MEMORY: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}

# Words MySQL 8.0 does not take as a name (MySQL 8.0 Reference Manual, "Keywords and Reserved Words"); RDS refuses
# them as master user and as database name ("cannot be used as it is a reserved word used by the engine").
MYSQL_RESERVED_WORDS = words(
    """
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade
    case change char character check collate column condition constraint continue convert create cross cube
    cume_dist current_date current_time current_timestamp current_user cursor database databases day_hour
    day_microsecond day_minute day_second dec decimal declare default delayed delete dense_rank desc describe
    deterministic distinct distinctrow div double drop dual each else elseif empty enclosed escaped except exists
    exit explain false fetch first_value float float4 float8 for force foreign from fulltext function generated
    get grant group grouping groups having high_priority hour_microsecond hour_minute hour_second if ignore in
    index infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into
    io_after_gtids io_before_gtids is iterate join json_table key keys kill lag last_value lateral lead leading
    leave left like limit linear lines load localtime localtimestamp lock long longblob longtext loop
    low_priority master_bind master_ssl_verify_server_cert match maxvalue mediumblob mediumint mediumtext
    middleint minute_microsecond minute_second mod modifies natural not no_write_to_binlog nth_value ntile null
    numeric of on optimize optimizer_costs option optionally or order out outer outfile over partition
    percent_rank precision primary procedure purge range rank read reads read_write real recursive references
    regexp release rename repeat replace require resignal restrict return revoke right rlike row row_number rows
    schema schemas second_microsecond select sensitive separator set show signal smallint spatial specific sql
    sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl starting stored
    straight_join system table terminated then tinyblob tinyint tinytext to trailing trigger true undo union
    unique unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary varchar
    varcharacter varying virtual when where while window with write xor year_month zerofill
    """
)
# Users and schemas that exist in every Aurora MySQL cluster. Source: Amazon Aurora User Guide, "Security with
# Amazon Aurora MySQL"; MySQL 8.0 Reference Manual, "Reserved Accounts" and "The mysql System Schema".
AURORA_USERS = frozenset({"rdsadmin", "rdsproxyadmin", "rdsrepladmin", "rdswriteforwarduser"})
AURORA_SCHEMAS = frozenset({"information_schema", "innodb", "mysql", "performance_schema", "sys"})

# Names nobody can be delegated: RFC 2606 and RFC 6761, and ICANN's `internal`. Route 53 refuses example.com itself
# ("reserved by AWS"); ACM issues nothing for the domains that belong to Amazon (ACM User Guide, "Certificate
# characteristics").
RESERVED_TOP_LEVEL = frozenset(
    {"example", "invalid", "test", "localhost", "local", "internal", "onion", "arpa"}
)
RESERVED_DOMAINS = ("example.com", "example.net", "example.org")
AMAZON_DOMAINS = ("amazonaws.com", "cloudfront.net", "elasticbeanstalk.com", "awsapps.com")

PRIVATE_RANGES = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def refused(cause: str, remedy: str) -> PydanticCustomError:
    """The exception a rule raises. `cause` and `remedy` are shown to the operator as they are."""
    return PydanticCustomError(REFUSED, "{cause}; {remedy}", {"cause": cause, "remedy": remedy})


def shown(value: object) -> str:
    """A value as it may be repeated in a message: as TOML would write it, short, and free of control characters."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "an array"
    if isinstance(value, str | bool | int):
        text = json.dumps(value)
        return text if len(text) <= 80 else f"{text[:76]}..."
    return str(value)


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """' (did you mean X?)' when one of the known names is near, else nothing."""
    near = difflib.get_close_matches(value, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def as_text(value: object, remedy: str) -> str:
    """The value if it is a string; the same for every rule below that reads text."""
    if not isinstance(value, str):
        raise refused(f"{shown(value)} is not text in quotes", remedy)
    return value


def whole(low: int, high: int, unit: str = "") -> BeforeValidator:
    """A whole number from `low` to `high`; TOML's true, "3" and 3.0 are not numbers here."""
    remedy = f"a whole number from {low} to {high}{f' ({unit})' if unit else ''}"

    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise refused(f"{shown(value)} is not a whole number", remedy)
        if not low <= value <= high:
            raise refused(f"{shown(value)} is too {'small' if value < low else 'large'}", remedy)
        return value

    return BeforeValidator(check)


def one_of(*choices: int) -> BeforeValidator:
    """One of a few whole numbers. (pydantic's Literal would take true for 1, and 10.0 for 10.)"""
    remedy = f"one of {', '.join(map(str, choices))}"

    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or value not in choices:
            raise refused(f"{shown(value)} is not among the choices", remedy)
        return value

    return BeforeValidator(check)


def pattern(expression: str, allowed: str, not_allowed: Iterable[str] = ()) -> BeforeValidator:
    """Text that matches the whole expression, described to the operator as `allowed`."""
    compiled, reserved = re.compile(expression, re.ASCII), frozenset(not_allowed)

    def check(value: object) -> object:
        text = as_text(value, allowed)
        if not compiled.fullmatch(text):
            raise refused(f"{shown(text)} does not have the right form", allowed)
        if text.lower() in reserved:
            raise refused(f"{shown(text)} is a reserved word", f"another name: {allowed}")
        return text

    return BeforeValidator(check)


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise refused(f"{shown(value)} is neither true nor false", "true or false, without quotes")
    return value


def _region(value: object) -> object:
    remedy = "a commercial AWS region, such as us-east-1 or eu-west-1"
    text = as_text(value, remedy)
    if text not in COMMERCIAL_REGIONS:
        near = did_you_mean(text, COMMERCIAL_REGIONS)
        raise refused(f"{shown(text)} is not a commercial AWS region{near}", remedy)
    return text


def _environment(value: object) -> object:
    remedy = "2 to 19 lower-case letters, digits and hyphens; a letter first, no hyphen last, no two hyphens in a row"
    text = as_text(value, remedy)
    if not re.fullmatch("[a-z][a-z0-9-]{1,18}", text) or "--" in text or text.endswith("-"):
        # Aurora's identifiers allow neither `--` nor a hyphen at the end (RDS API, CreateDBCluster).
        raise refused(f"{shown(text)} does not have the right form", remedy)
    # Elastic Load Balancing API, CreateLoadBalancer; S3 User Guide, "General purpose bucket naming rules".
    for prefix, owner in (
        ("internal-", "load balancers"),
        ("sthree-", "buckets"),
        ("amzn-s3-demo-", "buckets"),
    ):
        if f"{text}-".startswith(prefix):
            raise refused(
                f'names that begin with "{prefix}" are reserved by AWS for its own {owner}',
                "a name that does not begin so",
            )
    return text


def _domain(value: object) -> object:
    remedy = "a domain you own, in lower case and without a dot at the end, such as shop.your-company.com"
    text = as_text(value, remedy)
    labels = text.split(".")
    well_formed = len(text) <= 253 and all(
        re.fullmatch("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", each) for each in labels
    )
    if not well_formed or labels[-1].isdigit():
        raise refused(f"{shown(text)} is not a well-formed domain name", remedy)
    if len(labels) == 1:
        raise refused(f"{shown(text)} is a single label", remedy)
    for owned, why in ((RESERVED_DOMAINS, "is reserved for examples"), (AMAZON_DOMAINS, "belongs to Amazon")):
        for each in owned:
            if text == each or text.endswith(f".{each}"):
                raise refused(f"{each} {why}: it cannot be delegated to you", remedy)
    if labels[-1] in RESERVED_TOP_LEVEL:
        raise refused(f".{labels[-1]} is reserved: it cannot be delegated to you", remedy)
    return text


def _cidr(value: object) -> object:
    remedy = "a private IPv4 range of /16 to /20, such as 10.0.0.0/16"
    text = as_text(value, remedy)
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", text):
        raise refused(f"{shown(text)} is not an IPv4 range in CIDR notation", remedy)
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        raise refused(f"{shown(text)} is not an IPv4 range in CIDR notation", remedy) from None
    if str(network) != text:
        raise refused(f"{text} has bits set after its prefix", f"{network}, if that range is meant; {remedy}")
    if not any(network.subnet_of(each) for each in PRIVATE_RANGES):
        raise refused(f"{text} is not private address space (RFC 1918)", remedy)
    if not 16 <= network.prefixlen <= 20:
        size = "large" if network.prefixlen < 16 else "small"
        raise refused(f"{text} is too {size}", remedy)
    return text


# The grammar of the distribution project's reference/regexp.go, as far as ECS takes it (255 characters).
_IMAGE = re.compile(
    r"(?:[a-z0-9.-]+(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def _image(value: object) -> object:
    remedy = (
        "an image with a tag other than latest, or with a digest: repository:1.27.3 or repository@sha256:..."
    )
    text = as_text(value, remedy)
    match = _IMAGE.fullmatch(text) if len(text) <= 255 else None
    if match is None:
        raise refused(f"{shown(text)} is not the name of a container image", remedy)
    if match["digest"] is None and match["tag"] in (None, "latest"):
        raise refused(f"{text} is not pinned: a restart, or a failover, could run something else", remedy)
    return text


def _engine_version(value: object) -> object:
    remedy = "an Aurora MySQL 3 version from 3.04.0 on, such as 8.0.mysql_aurora.3.08.2; or leave it out"
    text = as_text(value, remedy)
    match = re.fullmatch(r"8\.0\.mysql_aurora\.3\.([0-9]{2})\.[0-9]{1,2}", text, re.ASCII)
    if match is None:
        raise refused(f"{shown(text)} is not the full name of an Aurora MySQL 3 version", remedy)
    if int(match[1]) < 4:
        # Aurora MySQL Release Calendars: 3.01 and 3.02 ended in January 2024, 3.03 in 2025.
        raise refused(f"{text} can no longer be created", remedy)
    return text


def _instance_class(value: object) -> object:
    remedy = "a memory-optimized class: db.r5 or newer, or db.x2g, such as db.r6g.large"
    text = as_text(value, remedy)
    if re.fullmatch(r"db\.t[0-9][a-z]*\.[a-z0-9]+", text):
        raise refused(f"{text} is burstable: a Global Database does not support db.t classes", remedy)
    # Amazon Aurora User Guide, "Configuration requirements of an Amazon Aurora global database".
    if not re.fullmatch(r"db\.(r[5-9][a-z]*|x[2-9][a-z]+)\.(large|([1-9][0-9]?)?xlarge)", text):
        raise refused(f"{shown(text)} is not a class that a Global Database supports", remedy)
    return text


Account = Annotated[str, pattern("[0-9]{12}", "the 12 digits of an AWS account, in quotes")]
Cidr = Annotated[str, BeforeValidator(_cidr)]
DomainName = Annotated[str, BeforeValidator(_domain)]
EmailAddress = Annotated[
    str, pattern(r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}", "an e-mail address")
]
EngineVersion = Annotated[str, BeforeValidator(_engine_version)]
EnvironmentName = Annotated[str, BeforeValidator(_environment)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Image = Annotated[str, BeforeValidator(_image)]
InstanceClass = Annotated[str, BeforeValidator(_instance_class)]
Region = Annotated[str, BeforeValidator(_region)]
# Amazon CloudWatch Logs API, PutRetentionPolicy, `retentionInDays`.
RetentionDays = Annotated[
    int,
    one_of(
        1,
        3,
        5,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    ),
]
