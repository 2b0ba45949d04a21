"""The contract of a resource: desired state as a frozen dataclass, four verbs, one kind of AWS thing.

A kind is one class in one file of drctl/resources. Its fields are what the operator wants; a field that
holds another resource is the dependency, and order is written nowhere else. The engine does the rest.

========  ================================================================================================
``read``   Never changes anything. None: it is not there. Else what it is (outputs), how far it is (phase)
           and where it differs from the fields (drift). Asks by the recorded id first
           (``given.recorded(self)``), then by name or by our tags. A thing under our name that does not carry
           our tags is somebody else's: ``given.claim`` raises NotOurs. Drift of a pending thing is shown only
           if it can be repaired while it is pending. Outputs are strings, the first of them the id.
``create`` Exactly ONE call that mints an id, with the name or the tags in that same call. It is sent once (the
           clients it gets do not retry), because a repeated CreateVpc makes two VPCs. Reads around it are fine.
``update`` Repairs exactly the drift it is shown, and may be run twice. Whatever create could not say in its one
           call is drift too: that single rule makes a crash at any point harmless. A kind without ``update`` is
           replaced when it drifts; drift in a ``fixed`` field always means replacement.
``delete`` Asks for removal, knows only the outputs, and is asked again whenever the thing is neither leaving nor
           gone, so removal in several stages (disable, then delete) is one verb called several times. "In use"
           is an error the engine understands as *later*. Raises StaysBehind for what is to be forgotten only.
========  ================================================================================================

Traps, each of which somebody fell into: a read that repairs; a create of two calls; desired and actual in one
type; the writer's region as desired state; a delete that needs today's settings; tag look-ups that lag (ask the
recorded id first; not visible right after create is pending, not absent); two runs at once; ``up`` after a
failover; ``up`` after ``destroy`` while an old key is pending deletion.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar, dataclass_transform, get_args

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from drctl.aws.clients import Aws

    Outputs = TypeVar("Outputs", bound=DataclassInstance, covariant=True)
    O = TypeVar("O", bound=DataclassInstance)  # noqa: E741
else:
    Outputs = TypeVar("Outputs", covariant=True)
    O = TypeVar("O")  # noqa: E741

T = TypeVar("T")


class Phase(StrEnum):
    """How far a thing is, whatever AWS calls it."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    LEAVING = "leaving"


class Repeat(Enum):
    """What makes it safe to send a create again whose answer was lost (aws-facts: "repeat is safe because")."""

    TOKEN = "the same token is the same request"  # noqa: S105 - not a password
    NAME = "the name is unique: whoever finds it taken looks whether it is ours"
    NEVER = "nothing: only our tags tell, and only once the request can no longer be under way"


class Difference(NamedTuple):
    """A field as it is on AWS, and as the settings want it; both whatever JSON can say."""

    actual: object
    desired: object


Drift = Mapping[str, Difference]

STATE = "failed"
"""The drift field for what AWS let fail, which the engine adds to what a read shows. No kind has one of that name."""


@dataclass(frozen=True)
class Typical:
    """Seconds until ready and until gone, usually; they order the walk and pace the waiting, nothing else."""

    ready: float = 1.0
    gone: float = 1.0


@dataclass(frozen=True)
class Observed(Generic[Outputs]):
    """What a read saw. ``reason`` is AWS's own word on a failure or a wait."""

    outputs: Outputs
    phase: Phase = Phase.READY
    drift: Drift = field(default_factory=dict)
    reason: str = ""


class NotOurs(Exception):
    """A thing of our name exists that does not carry our tags."""


class StaysBehind(Exception):
    """Raised by ``delete``: this must not or cannot be removed (an adopted zone, a subscription nobody has confirmed
    yet). Its removal ends by forgetting it."""


class DependsOnUnknown(Exception):
    """A call would need an id that exists only once something else has been made. Raised while planning."""


@dataclass(frozen=True)
class Given:
    """What a verb may know beside its own fields.

    environment, account, partition: where this runs (partition is ``aws``, ``aws-cn`` ...)
    token: the idempotency token of the open intent, 32 hexadecimal characters; empty outside create
    operators_tags: tags of the operator's own, given to whatever is made
    others: ids of other things that carry or carried this address (replaced ones, successors): not this one
    """

    environment: str
    account: str
    partition: str
    outputs_of: Callable[[Resource[DataclassInstance]], DataclassInstance]
    recorded_of: Callable[[Resource[DataclassInstance]], DataclassInstance | None]
    token: str = ""
    others: frozenset[str] = frozenset()
    operators_tags: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, reference: Resource[O]) -> O:
        """The outputs of a resource this one refers to."""
        return self.outputs_of(reference)  # type: ignore[return-value]

    def recorded(self, resource: Resource[O]) -> O | None:
        """What the ledger holds of this resource itself, or None."""
        return self.recorded_of(resource)  # type: ignore[return-value]

    def tags(self, resource: Resource[DataclassInstance]) -> dict[str, str]:
        """The tags that make a thing ours, a name for the console, and the operator's own."""
        return {
            **self.operators_tags,
            "drctl:environment": self.environment,
            "drctl:address": resource.address,
            "Name": f"{self.environment}-{resource.name}",
        }

    def is_ours(self, resource: Resource[DataclassInstance], tags: Mapping[str, str]) -> bool:
        """Whether these tags say: this environment, this address."""
        ours = self.tags(resource)
        return all(tags.get(key) == ours[key] for key in ("drctl:environment", "drctl:address"))

    def claim(self, resource: Resource[DataclassInstance], tags: Mapping[str, str]) -> None:
        """Raise NotOurs unless the thing found under our name carries our tags."""
        if not self.is_ours(resource, tags):
            owner = tags.get("drctl:environment")
            whose = f"belongs to drctl environment {owner!r}" if owner else "does not carry drctl's tags"
            raise NotOurs(f"a {resource.kind} of this name exists already and {whose}")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
def resource(cls: type[T]) -> type[T]:
    """A frozen dataclass with keyword fields, compared by identity: the graph is made of these objects."""
    return dataclass(frozen=True, kw_only=True, eq=False, repr=False)(cls)


@resource
class Resource(ABC, Generic[Outputs]):
    """One desired thing on AWS. ``name`` is its place in the address REGION/KIND/NAME.

    Class variables of a kind:

    kind: AWS's own noun, in lower case with dashes
    repeat: what makes a repeated create safe
    fixed: drift fields AWS cannot change in place; drift in them means replacement
    mended_in_place: what AWS let fail is tried again by update (drift ``state``), not made anew
    holds_data: replacement would lose its data, or all that is in it: refused
    named: the outputs follow from the name alone: made again, it has the same (so that a plan knows them)
    lets_go: kinds of dependency whose removal may be asked for while this one is still leaving
    typical: usual durations
    """

    name: str
    region: str

    kind: ClassVar[str]
    outputs_type: ClassVar[type[DataclassInstance]]
    repeat: ClassVar[Repeat] = Repeat.NAME
    fixed: ClassVar[frozenset[str]] = frozenset()
    mended_in_place: ClassVar[bool] = False
    holds_data: ClassVar[bool] = False
    named: ClassVar[bool] = False
    lets_go: ClassVar[frozenset[str]] = frozenset()
    typical: ClassVar[Typical] = Typical()

    def __init_subclass__(cls) -> None:
        """Take the type of the outputs from ``Resource[TheOutputs]``, so that it is said once."""
        for parent in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(parent)
            if arguments and isinstance(arguments[0], type) and is_dataclass(arguments[0]):
                cls.outputs_type = arguments[0]

    def __repr__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """REGION/KIND/NAME: key in the ledger, tag on AWS, what ``--target`` takes."""
        return f"{self.region}/{self.kind}/{self.name}"

    @property
    def usual(self) -> Typical:
        """The usual durations of this one, where they differ within the kind."""
        return self.typical

    @property
    def needs(self) -> tuple[Resource[DataclassInstance], ...]:
        """The resources its fields refer to, each once, in the order of the fields."""
        found = {each.address: each for f in fields(self) for each in references(getattr(self, f.name))}
        return tuple(found.values())

    @abstractmethod
    def read(self, aws: Aws, given: Given) -> Observed[Outputs] | None:
        """Look, change nothing. See the module's docstring."""

    @abstractmethod
    def create(self, aws: Aws, given: Given) -> Outputs:
        """Send the one call that mints the id."""

    def update(self, aws: Aws, given: Given, observed: Observed[Outputs]) -> None:
        """Repair ``observed.drift``. Not overridden: AWS cannot change this kind in place."""
        raise NotImplementedError(f"{self.kind} cannot be changed in place")

    @abstractmethod
    def delete(self, aws: Aws, outputs: Outputs) -> None:  # type: ignore[misc]
        """Ask for removal."""

    def must_be_replaced(self, drift: Drift) -> bool:
        """Whether AWS can only get rid of this drift by making the thing anew."""
        if STATE in drift:
            return not self.mended_in_place
        return bool(drift) and (type(self).update is Resource.update or not self.fixed.isdisjoint(drift))


def identity(outputs: DataclassInstance) -> str:
    """A thing's id: by convention the first field of its outputs."""
    return str(getattr(outputs, fields(outputs)[0].name))


def references(value: object) -> Iterator[Resource[DataclassInstance]]:
    """Every resource inside a field's value: directly, in a tuple, a mapping or a nested dataclass."""
    if isinstance(value, Resource):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from references(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from references(getattr(value, f.name))


def differences(actual: Mapping[str, object], desired: Mapping[str, object]) -> dict[str, Difference]:
    """The drift between two mappings, over the keys of ``desired``."""
    return {
        key: Difference(actual.get(key), want) for key, want in desired.items() if actual.get(key) != want
    }
