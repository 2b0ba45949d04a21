"""A Lambda function, made of a folder of lambda_src."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from drctl.aws import function_zip
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.iam_role import IamRole
from drctl.resources.iam_role_policy import IamRolePolicy
from drctl.resources.kms_key import KmsKey
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import Text, resolve

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_lambda.type_defs import (
        CreateFunctionRequestTypeDef,
        FunctionConfigurationTypeDef,
        GetFunctionResponseTypeDef,
        UpdateFunctionConfigurationRequestTypeDef,
    )

    from drctl.aws.clients import Aws

RUNTIME: RuntimeType = "python3.13"
HANDLER = "handler.lambda_handler"


@dataclass(frozen=True)
class LambdaFunctionOutputs:
    function_name: str
    arn: str


@resource
class LambdaFunction(Resource[LambdaFunctionOutputs]):
    """Outside the VPC: a function inside leaves interfaces behind for up to an hour when it goes.

    folder: below lambda_src; role_policy: only to be waited for; key: encrypts the environment, None: Lambda's own
    """

    kind: ClassVar[str] = "lambda-function"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    typical: ClassVar[Typical] = Typical(ready=12, gone=1)

    aws_name: str
    role: IamRole
    role_policy: IamRolePolicy
    folder: str
    environment: tuple[tuple[str, Text], ...]
    log_group: LogGroup
    key: KmsKey | None = None
    timeout_s: int = 60
    memory_mb: int = 256

    def read(self, aws: Aws, given: Given) -> Observed[LambdaFunctionOutputs] | None:
        found = self._find(aws, given)
        if found is None:
            return None
        given.claim(self, found.get("Tags", {}))
        actual = found["Configuration"]
        outputs = LambdaFunctionOutputs(actual["FunctionName"], actual["FunctionArn"])
        updated, reason = actual.get("LastUpdateStatus"), actual.get("LastUpdateStatusReason", "")
        if actual.get("State") == "Failed":
            return Observed(outputs, Phase.FAILED, reason=actual.get("StateReason", ""))
        if actual.get("State") == "Pending" or updated == "InProgress":
            return Observed(outputs, Phase.PENDING, reason="Lambda to take the change")
        _, code = self._package()
        desired = {"name": self.aws_name, "code": code, **self._settings(given)}
        shown = {"name": actual["FunctionName"], "code": actual["CodeSha256"], **_shown(actual)}
        drift = differences(shown, desired)
        phase = Phase.FAILED if updated == "Failed" and not drift else Phase.READY
        return Observed(outputs, phase, drift, reason)

    def create(self, aws: Aws, given: Given) -> LambdaFunctionOutputs:
        package, _ = self._package()
        request = {
            **self._settings(given),
            "FunctionName": self.aws_name,
            "Code": {"ZipFile": package},
            "Architectures": ["arm64"],
            "Tags": given.tags(self),
        }
        made = aws.lambda_(self.region).create_function(**cast("CreateFunctionRequestTypeDef", request))
        return LambdaFunctionOutputs(made["FunctionName"], made["FunctionArn"])

    def update(self, aws: Aws, given: Given, observed: Observed[LambdaFunctionOutputs]) -> None:
        """One change, because Lambda takes the next only when that is through: the engine comes back for the code."""
        functions, name = aws.lambda_(self.region), observed.outputs.function_name
        if observed.drift.keys() - {"code"}:
            request = {**self._settings(given), "FunctionName": name}
            functions.update_function_configuration(
                **cast("UpdateFunctionConfigurationRequestTypeDef", request)
            )
        else:
            package, _ = self._package()
            functions.update_function_code(FunctionName=name, ZipFile=package, Architectures=["arm64"])

    def delete(self, aws: Aws, outputs: LambdaFunctionOutputs) -> None:
        aws.lambda_(self.region).delete_function(FunctionName=outputs.function_name)

    def _find(self, aws: Aws, given: Given) -> GetFunctionResponseTypeDef | None:
        recorded = given.recorded(self)
        names = (recorded.function_name, self.aws_name) if recorded else (self.aws_name,)
        for name in dict.fromkeys(names):
            with tolerating_absence():
                return aws.lambda_(self.region).get_function(FunctionName=name)
        return None

    def _package(self) -> tuple[bytes, str]:
        return function_zip.build(function_zip.source(self.folder))

    def _settings(self, given: Given) -> dict[str, object]:
        """Everything but name, code and tags, as both calls take it."""
        return {
            "Runtime": RUNTIME,
            "Handler": HANDLER,
            "Role": given[self.role].arn,
            "Timeout": self.timeout_s,
            "MemorySize": self.memory_mb,
            "Environment": {"Variables": {name: resolve(value, given) for name, value in self.environment}},
            "KMSKeyArn": given[self.key].arn if self.key else "",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": given[self.log_group].log_group_name},
        }


def _shown(actual: FunctionConfigurationTypeDef) -> dict[str, object]:
    logging = actual.get("LoggingConfig", {})
    return {
        **actual,
        "Environment": {"Variables": actual.get("Environment", {}).get("Variables", {})},
        "KMSKeyArn": actual.get("KMSKeyArn", ""),
        "LoggingConfig": {key: logging.get(key) for key in ("LogFormat", "LogGroup")},
    }
