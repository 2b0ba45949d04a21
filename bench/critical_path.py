"""``up`` and ``destroy`` as multiples of the critical path: the longest chain of waits that AWS imposes.

The path is computed from drctl's own graph and the seconds that the simulator takes over each resource. What a command
took beyond it is drctl's: starting, reading, calling one thing after another, noticing late that something is ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.durations import Removal, to_make, to_remove
from bench.life import Life, Simulation, Step, live
from bench.report import Part, Table, number, percent
from drctl.commands.records import rebuilt
from drctl.engine.walk import After

SPEEDS = (10.0, 60.0)
SPEED_NOTE = (
    "The processor's time is real: at speed 60 each second of it counts as 60. At 10 neither drctl nor the simulator "
    "keeps a processor busy, so that the ratio is drctl's more than the machine's; 60 is the default of "
    "`drctl --sim`, and shows what is left of it there. On AWS nothing is sped up."
)


@dataclass(frozen=True)
class Node:
    """A resource to be made or removed, and what must have ended, or begun, before."""

    address: str
    removal: Removal
    needs: Mapping[str, After] = field(default_factory=dict)

    def still_going(self) -> list[str]:
        """The needs that only had to begin before this one."""
        return [need for need, what in self.needs.items() if what is After.GOING]


Graph = Mapping[str, Node]


@dataclass(frozen=True)
class Moment:
    """When a node could begin and end, seconds after the first, if nothing but AWS took time."""

    began: float
    ended: float

    def released(self, node: Node, what: After) -> float:
        """When a follower that waits for this much of the node may begin."""
        return self.ended if what is After.DONE else self.began + node.removal.going


@dataclass(frozen=True)
class Link:
    """A node of the chain that really was the longest. Simulated seconds.

    before: from the end of what it needed until its request was sent
    simulated: what the simulator took
    after: what it took beyond that: the calls, and noticing that it is ready
    """

    address: str
    before: float
    simulated: float
    after: float


def making(simulated: Simulation) -> Graph:
    """What ``up`` made, each after what it needs."""
    ledger = simulated.ledger()
    return {
        address: Node(address, Removal(to_make(each)), {need.address: After.DONE for need in each.needs})
        for address, each in rebuilt(ledger).items()
    }


def removing(simulated: Simulation) -> Graph:
    """What ``destroy`` removes, each after what needs it, or after that has begun to go where this is enough."""
    ledger = simulated.ledger()
    resources, records = rebuilt(ledger), ledger.records()
    return {
        address: Node(
            address,
            to_remove(each),
            {
                other: _enough(resources[other].lets_go, each.kind, resources[other].usual.gone)
                for other, record in records.items()
                if address in record.depends_on
            },
        )
        for address, each in resources.items()
    }


def _enough(lets_go: Iterable[str], kind: str, usual: float) -> After:
    return After.GOING if kind in lets_go and usual > 1 else After.DONE


def moments(graph: Graph) -> dict[str, Moment]:
    """When each node begins and ends at the earliest."""
    found: dict[str, Moment] = {}

    def moment(address: str) -> Moment:
        if address not in found:
            node = graph[address]
            began = max(
                (moment(need).released(graph[need], what) for need, what in node.needs.items()), default=0.0
            )
            ended = began + node.removal.own
            if node.removal.tail:
                last = max((moment(need).ended for need in node.still_going()), default=0.0)
                ended = max(ended, last + node.removal.tail)
            found[address] = Moment(began, ended)
        return found[address]

    for address in graph:
        moment(address)
    return found


def length(graph: Graph) -> float:
    """Seconds of the critical path."""
    return max(moment.ended for moment in moments(graph).values())


def theoretical(graph: Graph) -> list[str]:
    """The addresses of the critical path, first to last; those that take no time are left out."""
    known = moments(graph)
    address: str | None = max(known, key=lambda each: known[each].ended)
    chain, to_its_end = [], True
    while address is not None:
        node = graph[address]
        if to_its_end and node.removal.own:
            chain.append(address)
        if to_its_end and known[address].ended > known[address].began + node.removal.own:
            address = max(node.still_going(), key=lambda need: known[need].ended)
            continue
        release = {need: known[need].released(graph[need], what) for need, what in node.needs.items()}
        address = max(release, key=lambda need: release[need], default=None)
        to_its_end = address is None or node.needs[address] is After.DONE
    return chain[::-1]


def real_chain(graph: Graph, step: Step) -> list[Link]:
    """The nodes that really followed each other to the end, first to last."""
    first = min(event.time for event in step.events if event.kind == "Walking")
    started = {event.address: event.time for event in step.events if event.kind == "Started"}
    finished = {event.address: event.time for event in step.events if event.kind == "Finished"}
    address: str | None = max((a for a in finished if a in graph), key=lambda each: finished[each])
    chain: list[Link] = []
    while address is not None:
        node, ended = graph[address], finished[address]
        sent, simulated = started.get(address, ended), node.removal.own
        going = {need: finished[need] for need in node.still_going() if need in finished}
        last = max(going, key=lambda need: going[need], default=None)
        if last is not None and node.removal.tail and going[last] + node.removal.tail > sent + simulated:
            chain.append(Link(address, 0.0, node.removal.tail, ended - going[last] - node.removal.tail))
            address = last
            continue
        release = {
            need: finished[need] if what is After.DONE else started.get(need, finished[need])
            for need, what in node.needs.items()
            if need in finished
        }
        last = max(release, key=lambda need: release[need], default=None)
        before = max(sent - (release[last] if last is not None else first), 0.0)
        while last is not None and node.needs.get(last) is After.GOING:
            simulated += graph[last].removal.going
            node = graph[last]
            last = max((n for n in node.needs if n in started), key=lambda n: started[n], default=None)
        chain.append(Link(address, before, simulated, ended - sent - simulated))
        address = last
    return chain[::-1]


@dataclass
class Measured:
    """A life at one speed, and the graphs of what was made and removed in it."""

    life: Life
    making: Graph
    removing: Graph

    def row(self, command: str) -> dict[str, Any]:
        """The figures of ``up`` or ``destroy``."""
        graph, step = self.graph(command), self.step(command)
        path = length(graph)
        walk = [event.time for event in step.events if event.kind == "Walking"]
        ends = [event.time for event in step.events if event.kind == "Finished"]
        walked = max(ends) - min(walk)
        busy = (step.usage.cpu + (step.simulator_cpu or 0.0)) / step.usage.wall
        return {
            "command": command,
            "speed": self.life.speed,
            "critical_path_s": round(path, 1),
            "took_s": round(step.simulated, 1),
            "ratio": round(step.simulated / path, 3),
            "walk_ratio": round(walked / path, 3),
            "before_walk_s": round(min(walk) - step.began, 1),
            "after_walk_s": round(step.ended - max(ends), 1),
            "client_cpu_s": round(step.usage.cpu, 2),
            "simulator_cpu_s": round(step.simulator_cpu, 2) if step.simulator_cpu is not None else None,
            "processors_busy": round(busy, 2),
            "path": theoretical(graph),
        }

    def graph(self, command: str) -> Graph:
        return self.making if command == "up" else self.removing

    def step(self, command: str) -> Step:
        return self.life.up if command == "up" else self.life.destroy


def measured(speed: float) -> Measured:
    """Live at that speed. Raises Absent when a command fails."""
    graphs: dict[str, Graph] = {}

    def visit(simulated: Simulation) -> None:
        graphs["making"], graphs["removing"] = making(simulated), removing(simulated)

    life = live(1, speed, visit)
    return Measured(life, graphs["making"], graphs["removing"])


def part(lives: Iterable[Measured], explain: bool) -> Part:
    """The table of ratios; with ``explain``, of each command the chain that really was the longest."""
    lives = list(lives)
    rows = [each.row(command) for each in lives for command in ("up", "destroy")]
    tables = [
        Table(
            "b. up and destroy as multiples of the critical path",
            ("command", "speed", "critical path", "took", "ratio", "walk alone", "before", "after", "busy"),
            [
                (
                    row["command"],
                    f"{row['speed']:.0f}",
                    number(row["critical_path_s"], "s"),
                    number(row["took_s"], "s"),
                    f"{row['ratio']:.2f}",
                    f"{row['walk_ratio']:.2f}",
                    number(row["before_walk_s"], "s"),
                    number(row["after_walk_s"], "s"),
                    percent(row["processors_busy"]),
                )
                for row in rows
            ],
        )
    ]
    notes = [
        "Seconds are simulated. took: from the start of the process to its end; before: until the first change is "
        "sent (starting, reading everything); busy: of one processor, drctl and simulator together.",
        SPEED_NOTE,
    ]
    notes += [f"the path of {c}: {' > '.join(lives[0].row(c)['path'])}" for c in ("up", "destroy")]
    chains: list[dict[str, Any]] = []
    if explain:
        for each in lives:
            for command in ("up", "destroy"):
                links = real_chain(each.graph(command), each.step(command))
                chains.append(
                    {"command": command, "speed": each.life.speed, "chain": [vars(one) for one in links]}
                )
                tables.append(_chain(f"{command} at {each.life.speed:.0f}: what really took so long", links))
    return Part("critical_path", tables, {"runs": rows, "chains": chains}, notes)


def _chain(title: str, links: list[Link]) -> Table:
    rows = [
        (link.address, number(link.before, "s"), number(link.simulated, "s"), number(link.after, "s"))
        for link in links
    ]
    total = (
        "together",
        number(sum(link.before for link in links), "s"),
        number(sum(link.simulated for link in links), "s"),
        number(sum(link.after for link in links), "s"),
    )
    return Table(
        title, ("resource", "until it was asked for", "simulated", "calls and noticing"), [*rows, total]
    )
