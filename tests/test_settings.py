"""The settings file: what it may say, what is refused and in which words, and what follows from it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from drctl.errors import Diagnostic, DrctlError, Interrupted, LockedError, SettingsError
from drctl.settings import DEMO_DOMAIN, TEMPLATE, Domain, Settings, load, write


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "drctl.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def problems(folder: Path, text: str) -> dict[str, Diagnostic]:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    found = {each.address: each for each in caught.value.diagnostics}
    assert len(found) == len(caught.value.diagnostics), "one diagnostic for each address"
    return found


def service(line: str) -> str:
    return f"[[services]]\n{line}"


LONG = "a" * 19

# Each value that is refused: the file, where, what is wrong with it, what is allowed.
REFUSED = [
    ('environment = "Demo"', "environment", '"Demo" does not have the right form', "2 to 19 lower-case"),
    ('environment = "a"', "environment", "right form", "2 to 19"),
    (f'environment = "{LONG}a"', "environment", "right form", "2 to 19"),
    ('environment = "a--b"', "environment", "right form", "no two hyphens in a row"),
    ('environment = "demo-"', "environment", "right form", "no hyphen last"),
    ('environment = "demo\\n"', "environment", r'"demo\n" does not have', "2 to 19"),
    ('environment = "internal"', "environment", 'begin with "internal-" are reserved by AWS', "not begin so"),
    ('environment = "sthree-a"', "environment", "reserved by AWS for its own buckets", "not begin so"),
    ("environment = 5", "environment", "5 is not text in quotes", "lower-case letters"),
    (
        "account = 123456789012",
        "account",
        "is not text in quotes",
        "the 12 digits of an AWS account, in quotes",
    ),
    ('account = "12345"', "account", "right form", "12 digits"),
    ('posture = "cold"', "posture", '"cold" is not among', '"pilot-light", "warm-standby", "hot-standby"'),
    ('regions.primary = "us-east-9"', "regions.primary", "did you mean us-east-", "a commercial AWS region"),
    ('regions.standby = "us-gov-west-1"', "regions.standby", "not a commercial", "such as us-east-1"),
    ('regions.standby = "us-east-1"', "regions.standby", "is the primary region too", "another region"),
    ('network.primary.cidr = "10.0.0.0"', "network.primary.cidr", "not an IPv4 range", "/16 to /20"),
    ('network.primary.cidr = "10.0.0.300/16"', "network.primary.cidr", "not an IPv4 range", "/16 to /20"),
    ('network.primary.cidr = "fd00::/16"', "network.primary.cidr", "not an IPv4 range", "IPv4"),
    ('network.primary.cidr = "10.0.9.0/16"', "network.primary.cidr", "bits set after", "10.0.0.0/16, if"),
    ('network.primary.cidr = "10.0.0.0/8"', "network.primary.cidr", "too large", "/16 to /20"),
    ('network.primary.cidr = "10.0.0.0/21"', "network.primary.cidr", "too small", "/16 to /20"),
    ('network.standby.cidr = "8.8.0.0/16"', "network.standby.cidr", "not private", "private IPv4"),
    ('network.standby.cidr = "10.0.16.0/20"', "network.standby.cidr", "overlaps", "shares no address"),
    ('network.nat_gateways = "two"', "network.nat_gateways", "choices", '"none", "one", "per-zone"'),
    ("[domain]", "domain.name", "[domain] needs it", "leave out the whole table"),
    (
        'domain.name = "example.com"',
        "domain.name",
        "example.com is reserved for examples",
        "a domain you own",
    ),
    ('domain.name = "shop.example.org"', "domain.name", "reserved for examples", "a domain you own"),
    ('domain.name = "shop.example"', "domain.name", ".example is reserved", "a domain you own"),
    ('domain.name = "shop.test"', "domain.name", ".test is reserved", "a domain you own"),
    ('domain.name = "shop.invalid"', "domain.name", ".invalid is reserved", "a domain you own"),
    ('domain.name = "shop.localhost"', "domain.name", ".localhost is reserved", "a domain you own"),
    ('domain.name = "a.amazonaws.com"', "domain.name", "belongs to Amazon", "a domain you own"),
    ('domain.name = "intranet"', "domain.name", "single label", "a domain you own"),
    ('domain.name = "Shop.io"', "domain.name", "not a well-formed", "lower case"),
    ('domain.name = "shop.io."', "domain.name", "not a well-formed", "without a dot at the end"),
    ('domain.name = "-a.io"', "domain.name", "not a well-formed", "a domain you own"),
    ('domain.name = "10.0.0.1"', "domain.name", "not a well-formed", "a domain you own"),
    (f'domain.name = "{"a" * 52}.io"', "domain.name", "certificates take 64", "up to 54 characters"),
    (
        'domain = {name = "a.io", zone_id = "/hostedzone/Z1"}',
        "domain.zone_id",
        "right form",
        "Z0123456789ABC",
    ),
    ("services = []", "services", "there is none", "at least one [[services]] table"),
    ("services = 3", "services", "3 is not a list", "[[services]]"),
    ("services = [7]", "services[0]", "7 is not a table", "a table with the keys name, image"),
    (
        service('name = "App_1"'),
        "services[0].name",
        "right form",
        "lower-case letters, digits and single hyphens",
    ),
    (service('image = "nginx"'), "services[0].image", "not pinned", "a tag other than latest"),
    (service('image = "nginx:latest"'), "services[0].image", "not pinned", "a tag other than latest"),
    (service('image = "Not An Image:1"'), "services[0].image", "not the name", "a tag other than latest"),
    (service("port = 0"), "services[0].port", "0 is too small", "from 1 to 65535"),
    (service("port = 65536"), "services[0].port", "too large", "from 1 to 65535"),
    (service("port = 80.0"), "services[0].port", "80.0 is not a whole number", "from 1 to 65535"),
    (service("port = true"), "services[0].port", "true is not a whole number", "from 1 to 65535"),
    (service('port = "80"'), "services[0].port", '"80" is not a whole number', "from 1 to 65535"),
    (
        service("cpu = 1000"),
        "services[0].cpu",
        "1000 is not among",
        "256, 512, 1024, 2048, 4096, 8192, 16384",
    ),
    (service("cpu = 1024.0"), "services[0].cpu", "1024.0 is not among", "256, 512"),
    (
        service("cpu = 4096"),
        "services[0].memory",
        "not offer 2048 MiB with cpu = 4096",
        "8192 to 30720 in steps of 1024",
    ),
    (service("cpu = 256\nmemory = 4096"), "services[0].memory", "cpu = 256", "one of 512, 1024, 2048"),
    (service("cpu = 8192\nmemory = 17408"), "services[0].memory", "17408", "in steps of 4096"),
    (service('health_path = "health"'), "services[0].health_path", "right form", "begins with /"),
    (service("tasks = 0"), "services[0].tasks", "too small", "from 1"),
    (service("tasks = 1"), "services[0].min_tasks", "2 is more than tasks, 1", "from 1 to 1"),
    (service("tasks = 11"), "services[0].max_tasks", "10 is less than tasks, 11", "11 or more"),
    (service("standby_tasks = 11"), "services[0].standby_tasks", "more than max_tasks, 10", "0 to 10"),
    (service("cpu_target = 101"), "services[0].cpu_target", "too large", "1 to 100 (percent)"),
    (service("memory_target = 0"), "services[0].memory_target", "too small", "1 to 100 (percent)"),
    (service('path = "/a/*"'), "services[0].path", "the first service gets every request", "leave it out"),
    (service("") + service('\nname = "b"'), "services[1].path", "missing", "a path pattern"),
    (service("") + service('\nname = "b"\npath = "/*"'), "services[1].path", "right form", 'not "/*" alone'),
    (
        service("") + service('\nname = "b"\npath = "/******"'),
        "services[1].path",
        "right form",
        "5 wildcards",
    ),
    (service("") + service('\npath = "/b"'), "services[1].name", '"app" is the name of item 0', "its own"),
    (
        service("") + service('\nname = "b"\npath = "/b"\n') + service('\nname = "c"\npath = "/b"'),
        "services[2].path",
        "the path of services[1] too",
        "its own",
    ),
    (
        f'environment = "{LONG}"\n' + service('name = "reporting-tool"'),
        "services[0].name",
        f"a load balancer or target group built from it, {LONG}-reporting-tool, has 34 characters; AWS allows 32",
        "shorter by 2",
    ),
    (
        'regions.standby = "ap-northeast-1"\n' + service('name = "reporting-and-billing"'),
        "services[0].name",
        "an IAM role",
        "shorter by 3",
    ),
    ('database.engine_version = "8.0"', "database.engine_version", "full name", "8.0.mysql_aurora.3.08.2"),
    (
        'database.engine_version = "8.0.mysql_aurora.3.02.0"',
        "database.engine_version",
        "no longer",
        "3.04.0 on",
    ),
    ('database.instance_class = "db.t4g.medium"', "database.instance_class", "burstable", "db.r6g.large"),
    (
        'database.instance_class = "db.m6g.large"',
        "database.instance_class",
        "not a class",
        "memory-optimized",
    ),
    ("database.instances = 16", "database.instances", "too large", "from 1 to 15"),
    ("database.standby_instances = -1", "database.standby_instances", "too small", "from 0 to 15"),
    ('database.name = "select"', "database.name", "reserved word", "another name"),
    ('database.name = "mysql"', "database.name", "reserved word", "another name"),
    ('database.name = "1st"', "database.name", "right form", "a letter first"),
    ('database.username = "rdsadmin"', "database.username", "reserved word", "1 to 16"),
    ('database.username = "USER-1"', "database.username", "right form", "1 to 16 letters and digits"),
    ('database.username = "Grant"', "database.username", "reserved word", "another name"),
    ("database.backup_days = 36", "database.backup_days", "too large", "1 to 35 (days)"),
    ("tables = []", "tables", "there is none", "[[tables]]"),
    ('tables = [{name = "a/b"}]', "tables[0].name", "right form", "letters, digits, _ . and -"),
    ('tables = [{name = "breaker"}]', "tables[0].name", "reserved", 'not "breaker"'),
    ('tables = [{}, {key = "id"}]', "tables[1].name", '"sessions" is the name of item 0', "its own"),
    ('tables = [{key = ""}]', "tables[0].key", "right form", "1 to 255"),
    ("buckets = []", "buckets", "there is none", "[[buckets]]"),
    (
        'buckets = [{name = "my.files"}]',
        "buckets[0].name",
        "right form",
        "lower-case letters, digits and hyphens",
    ),
    ('buckets = [{name = "logs"}]', "buckets[0].name", "reserved", 'not "logs"'),
    ("buckets = [{}, {}]", "buckets[1].name", '"assets" is the name of item 0', "its own"),
    (
        f'buckets = [{{name = "{"b" * 36}"}}]',
        "buckets[0].name",
        "64 characters; AWS allows 63",
        "shorter by 1",
    ),
    ("health_check.interval = 20", "health_check.interval", "20 is not among", "10, 30"),
    ("health_check.threshold = 11", "health_check.threshold", "too large", "from 1 to 10"),
    ("monitor.threshold = 0", "monitor.threshold", "too small", "from 1 to 20"),
    ("monitor.timeout_s = 1", "monitor.timeout_s", "too small", "30 to 3600 (seconds)"),
    (
        'monitor.promote_database = "yes"',
        "monitor.promote_database",
        "neither true nor false",
        "without quotes",
    ),
    ('alarms.emails = ["ops"]', "alarms.emails[0]", '"ops" does not have', "an e-mail address"),
    ('alarms.emails = ["a@b.io", "a@b.io"]', "alarms.emails[1]", "more than once", "each one once"),
    ('alarms.emails = "a@b.io"', "alarms.emails", '"a@b.io" is not a list', "in square brackets"),
    ("alarms.http_5xx = 0", "alarms.http_5xx", "too small", "from 1"),
    ("alarms.rpo_lag_ms = 1.5", "alarms.rpo_lag_ms", "1.5 is not a whole number", "milliseconds"),
    ("logs.retention_days = 8", "logs.retention_days", "8 is not among", "1, 3, 5, 7, 14, 30"),
    ("logs.retention_days = true", "logs.retention_days", "true is not among", "1, 3, 5"),
    ('edge.price_class = "all"', "edge.price_class", '"all" is not among', '"PriceClass_All"'),
    (
        'edge.web_acl_arn = "arn:aws:wafv2:eu-west-1:1:x"',
        "edge.web_acl_arn",
        "right form",
        "scope CLOUDFRONT",
    ),
    (
        'operators = {accounts = ["12"], external_id = "abc"}',
        "operators.accounts[0]",
        "right form",
        "12 digits",
    ),
    ('operators.accounts = ["210987654321"]', "operators.external_id", "missing", "2 to 1224"),
    ('operators.external_id = "a b"', "operators.external_id", "right form", "2 to 1224"),
    (
        'account = "123456789012"\noperators = {accounts = ["123456789012"], external_id = "abc"}',
        "operators.accounts[0]",
        "this environment's own account",
        "other accounts",
    ),
    ("objectives.rto_s = 0", "objectives.rto_s", "too small", "1 to 86400 (seconds)"),
    ("calls.answer_timeout_s = 0", "calls.answer_timeout_s", "too small", "1 to 600 (seconds)"),
    ("objectives.rpo_s = 2024-01-01", "objectives.rpo_s", "2024-01-01 is not a whole number", "(seconds)"),
    ('tags = {"aws:x" = "y"}', 'tags."aws:x"', "aws: are for aws itself", "another key"),
    ('tags = {"Drctl:address" = "y"}', 'tags."Drctl:address"', "drctl: are for drctl itself", "another key"),
    ('tags = {team = "a;b"}', "tags.team", "right form", "up to 256"),
    ("tags = {team = 1}", "tags.team", "1 is not text in quotes", "up to 256"),
    ("tags = 1", "tags", "1 is not a table", "team"),
    ('netwrk.nat_gateways = "one"', "netwrk", "no such key (did you mean network?)", "environment, account"),
    (service("cpus = 1"), "services[0].cpus", "(did you mean cpu?)", "one of name, image"),
    ("monitor = 1", "monitor", "1 is not a table", "the keys threshold, timeout_s"),
]


@pytest.mark.parametrize(("text", "address", "cause", "remedy"), REFUSED, ids=[each[0] for each in REFUSED])
def test_a_refused_value_says_where_and_why_and_what_is_allowed(
    tmp_path: Path, text: str, address: str, cause: str, remedy: str
) -> None:
    found = problems(tmp_path, text)

    assert list(found) == [address], "nothing else is wrong"
    assert cause in found[address].cause
    assert remedy in found[address].remedy
    assert found[address].summary.startswith(f"{tmp_path / 'drctl.toml'}: {address} is ")
    words = " ".join((found[address].summary, found[address].cause, found[address].remedy))
    assert not re.search("pydantic|[Ii]nput should|validation|type=|None|\\{", words)


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    text = """
        environment = "Demo"
        regions = {primary = "us-east-1", standby = "us-east-1"}
        network = {primary = {cidr = "10.0.0.0/8"}, standby = {cidr = "10.1.0.0/8"}}
        tags = {"aws:a" = "x", "b;" = "x"}
        [domain]
        [[services]]
        [[services]]
        cpu = 1000
        port = 0
        [operators]
        accounts = ["210987654321"]
    """
    assert set(problems(tmp_path, text)) == {
        "environment",
        "regions.standby",
        "network.primary.cidr",
        "network.standby.cidr",
        "domain.name",
        "services[1].cpu",
        "services[1].port",
        "operators.external_id",
        'tags."aws:a"',
        'tags."b;"',
    }


ACCEPTED = [
    service(f'image = "registry.shop.io:5000/team/app@sha256:{"0" * 64}"'),
    service('image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app_1:v1.2-rc.3"'),
    service("cpu = 16384\nmemory = 122880"),
    service("tasks = 1\nmin_tasks = 1\nmax_tasks = 1"),
    service("") + service('\nname = "reports"\npath = "/reports/*"'),
    'database.engine_version = "8.0.mysql_aurora.3.08.2"',
    'database.instance_class = "db.r7g.16xlarge"',
    'domain = {name = "dr.shop.co.uk", zone_id = "Z0123456789ABC"}',
    'network.primary.cidr = "172.16.0.0/20"',
    'account = "012345678901"\noperators = {accounts = ["210987654321"], external_id = "a:phrase/1"}',
    'edge.web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/11111111-2222-3333-4444-555555555555"',
    'tags = {team = "payments", "cost:center" = ""}',
    f'environment = "{LONG}"\nregions.standby = "ap-northeast-1"',
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_aws_accepts_is_accepted(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) != Settings()


def test_a_file_may_be_empty_or_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == Settings()
    assert loaded(tmp_path, '\ufeffenvironment = "prod"').environment == "prod"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'environment = "demo"\nposture =\n', "line 2"),
        (b"environment = 'a'\nenvironment = 'b'\n", "line 2"),
        (b'a = 1\nb = "\xff"\n', "line 2 is not UTF-8"),
        (b"a = " + b"9" * 5000, "digits"),
        (b"a = " + b"[" * 5000, "recursion"),
    ],
    ids=["syntax", "twice", "encoding", "number", "nesting"],
)
def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path, content: bytes, cause: str) -> None:
    file = tmp_path / "drctl.toml"
    file.write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        load(file)

    (problem,) = caught.value.diagnostics
    assert str(file) in problem.summary
    assert cause in problem.cause
    assert problem.remedy


def test_a_file_that_cannot_be_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as missing:
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError) as folder:
        load(tmp_path)

    assert missing.value.diagnostics[0].cause == "there is no such file"
    assert "drctl init" in missing.value.diagnostics[0].remedy
    assert folder.value.diagnostics[0].cause == "it is a folder"


def test_a_file_that_cannot_be_read_is_refused_with_the_systems_own_words(tmp_path: Path) -> None:
    file = tmp_path / "drctl.toml"
    file.symlink_to(file)  # a circle: unreadable for everybody, root included

    with pytest.raises(SettingsError) as caught:
        load(file)

    assert caught.value.diagnostics[0].cause == "Too many levels of symbolic links"


def test_the_commented_file_holds_the_defaults_and_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "drctl.toml"
    write(file)

    assert load(file) == Settings.default()
    with pytest.raises(SettingsError) as again:
        write(file)
    assert again.value.diagnostics[0].cause == "it exists already"
    with pytest.raises(SettingsError) as elsewhere:
        write(tmp_path / "none" / "drctl.toml")
    assert elsewhere.value.diagnostics[0].cause == "No such file or directory"


def test_the_examples_of_the_commented_file_are_accepted(tmp_path: Path) -> None:
    first, rest = TEMPLATE.split("\n\n", 1)
    everything = re.sub(r"^# (\w+ = )", r"\1", rest, flags=re.MULTILINE)
    everything = everything.replace('path = "/reports/*"\n', "").replace(
        "webacl/NAME/ID", f"webacl/a/{'0' * 36}"
    )

    assert first.startswith("# What drctl builds.")
    assert loaded(tmp_path, everything).domain == Domain(name=DEMO_DOMAIN, zone_id="Z0123456789ABC")


def test_every_key_stands_in_the_commented_file_with_its_meaning() -> None:
    lines = TEMPLATE.splitlines()
    keys = [index for index, line in enumerate(lines) if re.match(r"(# )?\w+ = ", line)]
    names = {lines[index].removeprefix("# ").split(" = ")[0] for index in keys}

    assert {"environment", "account", "zone_id", "standby_tasks", "external_id", "rpo_s", "team"} <= names
    assert set(tomllib.loads(TEMPLATE)) == set(Settings.model_fields) - {"account"}
    assert all(lines[index - 1].startswith("# ") for index in keys if lines[index] != '# team = "payments"')


@pytest.mark.parametrize(
    ("posture", "tasks", "least", "instances"),
    [("pilot-light", 0, 0, 0), ("warm-standby", 1, 1, 1), ("hot-standby", 3, 2, 2)],
)
def test_the_posture_says_what_runs_in_the_standby_region(
    tmp_path: Path, posture: str, tasks: int, least: int, instances: int
) -> None:
    settings = loaded(tmp_path, f'posture = "{posture}"')

    assert settings.standby_tasks(settings.services[0]) == tasks
    assert settings.standby_min_tasks(settings.services[0]) == least
    assert settings.standby_database_instances == instances


def test_numbers_for_the_standby_region_override_the_posture(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "database.standby_instances = 3\n" + service("standby_tasks = 0"))

    assert settings.standby_tasks(settings.services[0]) == 0
    assert settings.standby_database_instances == 3


def test_settings_cannot_be_changed() -> None:
    settings = Settings.default()
    with pytest.raises(ValidationError, match="frozen"):
        settings.environment = "prod"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.services[0].tasks = 5  # type: ignore[misc]


def test_the_digest_depends_on_the_values_only(tmp_path: Path) -> None:
    some = loaded(tmp_path, 'environment = "prod"\ntags = {a = "1", b = "2"}')
    same = loaded(tmp_path, 'tags = {b = "2", a = "1"}\nposture = "warm-standby"\nenvironment = "prod"')
    other = loaded(tmp_path, 'environment = "prod"\ntags = {a = "1", b = "3"}')

    assert re.fullmatch("[0-9a-f]{64}", some.digest)
    assert some.digest == same.digest
    assert some.digest != other.digest


def test_reading_settings_loads_neither_the_sdk_nor_the_views() -> None:
    program = (
        "import sys, drctl.settings; print(sorted({'boto3', 'botocore', 'rich', 'typer'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_errors_leave_with_the_exit_codes_of_the_contract() -> None:
    codes = [each.exit_code for each in (DrctlError, LockedError, SettingsError, Interrupted)]
    assert codes == [1, 4, 5, 130]


def test_an_error_reads_as_one_line_for_each_problem() -> None:
    error = DrctlError(
        [Diagnostic("cannot be made", "us-east-1/vpc/main", "VpcLimitExceeded"), Diagnostic("stopped")]
    )
    assert str(error) == "us-east-1/vpc/main: cannot be made: VpcLimitExceeded; stopped"
