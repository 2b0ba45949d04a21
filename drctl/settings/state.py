"""Settings about where drctl remembers what it has built."""

from typing import Annotated, Literal

from pydantic import Field

from drctl.settings.section import Section
from drctl.settings.values import whole


class State(Section):
    """Where drctl keeps what it has built. To change it later, see `drctl state move`."""

    store: Literal["file", "s3"] = Field(
        default="file",
        description='"file": in files of this machine, in the folder state; "s3": in a bucket of the standby region, '
        "made when first needed, for all who share these settings",
    )
    lease_s: Annotated[int, whole(10, 3600, "seconds")] = Field(
        default=60,
        description="a run that has not been heard of for so many seconds counts as dead, and the next one takes over",
    )
