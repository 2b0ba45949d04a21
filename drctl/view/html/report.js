// Draws the chart of probes (a lane each, a bar a look) and lists the calls one by one. Needs nothing but this page.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const clock = (time) => (Number.isFinite(time) ? new Date(time * 1000).toISOString().slice(11, 19) : "-");
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
  const ABOVE = 40; // room for what is written over the lanes: outage, steps

  const place = document.getElementById("chart");
  if (place && data.lanes.length) chart(place);
  const list = document.getElementById("each-call");
  if (list) list.addEventListener("toggle", () => listCalls(list.querySelector("div")), { once: true });

  function chart(place) {
    for (const lane of data.lanes) {
      const good = lane.looks.filter((look) => look[1]).map((look) => look[2] || 0).sort((a, b) => a - b);
      lane.tallest = (good[Math.floor(good.length * 0.99)] || 1) * 1.15;
    }
    const end = data.began + data.seconds;
    const narrow = () => place.clientWidth < 620;
    const size = () => ({ width: place.clientWidth, height: ABOVE + 30 + data.lanes.length * (narrow() ? 52 : 46) });
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    const plot = new uPlot(
      {
        ...size(),
        padding: [ABOVE, narrow() ? 16 : 60, 0, narrow() ? 16 : 124],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
        scales: { x: { time: true, range: (u, low, high) => [low, high] }, y: { range: [0, 1] } },
        series: [{}, { paths: () => null, points: { show: false } }],
        axes: [
          {
            stroke: () => colour("soft"), font: `12px ${FONT}`, size: 30, space: narrow() ? 70 : 90,
            grid: { stroke: () => colour("faint"), width: 1 }, ticks: { show: false },
            values: (u, times, axis, space, step) => times.map((t) => (step < 60 ? clock(t) : clock(t).slice(0, 5))),
          },
          { show: false },
        ],
        hooks: { drawClear: [bands], draw: [lanes, marks, names], setCursor: [hover] },
      },
      [[data.began, end], [null, null]],
      place,
    );
    plot.over.append(tip);
    const redraw = () => plot.redraw(false, true);
    new ResizeObserver(() => { if (place.clientWidth !== plot.width) resize(); }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    // Paper is white and as wide as A4 less its margins, whatever the screen is.
    addEventListener("beforeprint", () => { root.classList.add("paper-now"); plot.setSize({ ...size(), width: 694 }); });
    addEventListener("afterprint", () => { root.classList.remove("paper-now"); resize(); });

    function resize() { plot.setSize(size()); redraw(); }

    function geometry(u) {
      const ratio = u.bbox.width / u.over.clientWidth || devicePixelRatio;
      const inside = narrow();
      return { ratio, tall: u.bbox.height / data.lanes.length, title: inside ? 17 * ratio : 0, inside };
    }

    function span(u, from, to) {
      const low = Math.max(from, u.scales.x.min), high = Math.min(to ?? end, u.scales.x.max);
      return low < high ? [u.valToPos(low, "x", true), u.valToPos(high, "x", true)] : null;
    }

    function bands(u) {
      const { ctx, bbox } = u, { ratio } = geometry(u);
      for (const [name, [from, to], said] of [["outage", data.outage, `${data.primary} is out`], ["failback", data.failback, "failback"], ...data.gaps.map((gap) => ["line", gap, ""])]) {
        const [left, right] = (Number.isFinite(from) && span(u, from, to)) || [];
        if (left === undefined) continue;
        ctx.fillStyle = colour(name);
        ctx.fillRect(left, bbox.top - 20 * ratio, right - left, bbox.height + 20 * ratio);
        ctx.fillStyle = colour("soft");
        ctx.font = `${12 * ratio}px ${FONT}`;
        ctx.textAlign = "center";
        ctx.textBaseline = "alphabetic";
        if (ctx.measureText(said).width < right - left + 40 * ratio) ctx.fillText(said, (left + right) / 2, bbox.top - 26 * ratio);
      }
    }

    // Bars are as wide as a look's interval, or a pixel for several looks: then a failed one counts, else the slowest.
    function lanes(u) {
      const { ctx, bbox } = u, { ratio, tall, title } = geometry(u);
      const { min, max } = u.scales.x;
      data.lanes.forEach((lane, number) => {
        const top = bbox.top + number * tall + title + 5 * ratio, floor = bbox.top + (number + 1) * tall - 3 * ratio;
        const between = lane.looks.length > 1 ? data.seconds / lane.looks.length : 1;
        const wide = Math.max(ratio, (bbox.width * between) / (max - min));
        const columns = new Map();
        for (const look of lane.looks) {
          const time = data.began + look[0];
          if (time < min || time > max) continue;
          const column = Math.floor(((time - min) / (max - min)) * (bbox.width / wide));
          const seen = columns.get(column);
          if (!seen || (seen[1] && (!look[1] || look[2] > seen[2]))) columns.set(column, look);
        }
        const gap = wide > 4 * ratio ? ratio : 0;
        for (const [column, [, ok, latency, who]] of columns) {
          const share = ok ? Math.min(1, Math.max(0.12, latency / lane.tallest)) : 1;
          ctx.fillStyle = colour(!ok ? "failed" : who === data.primary ? "primary" : who === data.standby ? "standby" : "soft");
          const left = Math.round(bbox.left + column * wide), right = Math.round(bbox.left + (column + 1) * wide);
          ctx.fillRect(left, floor - share * (floor - top), right - left - gap, share * (floor - top));
        }
        ctx.fillStyle = colour("line");
        ctx.fillRect(bbox.left, floor, bbox.width, ratio);
      });
    }

    function names(u) {
      const { ctx, bbox } = u, { ratio, tall, title, inside } = geometry(u);
      // An edge in the card's colour keeps the letters readable where a step's line crosses them.
      const write = (text, x, y) => { ctx.strokeText(text, x, y); ctx.fillText(text, x, y); };
      ctx.lineJoin = "round";
      ctx.lineWidth = 4 * ratio;
      ctx.strokeStyle = colour("card");
      data.lanes.forEach((lane, number) => {
        const top = bbox.top + number * tall + title + 5 * ratio, floor = bbox.top + (number + 1) * tall - 3 * ratio;
        ctx.textBaseline = inside ? "alphabetic" : "middle";
        ctx.font = `${13 * ratio}px ${FONT}`;
        ctx.fillStyle = colour("ink");
        ctx.textAlign = "left";
        write(lane.name, inside ? bbox.left : ratio, inside ? top - 4 * ratio : (top + floor) / 2);
        ctx.font = `${11 * ratio}px ${FONT}`;
        ctx.fillStyle = colour("soft");
        ctx.textAlign = "right";
        const edge = bbox.left + bbox.width + (inside ? 0 : 58 * ratio);
        write(`${Math.round(lane.tallest)} ms`, edge, inside ? top - 4 * ratio : top + 4 * ratio);
      });
    }

    // Numbers of steps that would lie on each other become one: 4-6.
    function marks(u) {
      const { ctx, bbox } = u, { ratio } = geometry(u);
      const shown = [];
      data.steps.forEach((time, index) => {
        if (!Number.isFinite(time) || time < u.scales.x.min || time > u.scales.x.max) return;
        const x = u.valToPos(time, "x", true), last = shown.at(-1);
        if (last && x - last.x < 26 * ratio) last.to = index + 1;
        else shown.push({ x, from: index + 1, to: index + 1 });
        ctx.fillStyle = colour("soft");
        ctx.globalAlpha = 0.55;
        for (let y = bbox.top; y < bbox.top + bbox.height; y += 6 * ratio) ctx.fillRect(Math.round(x), y, ratio, 3 * ratio);
        ctx.globalAlpha = 1;
      });
      ctx.font = `${11 * ratio}px ${FONT}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      for (const { x, from, to } of shown) {
        const said = from === to ? `${from}` : `${from}-${to}`, y = bbox.top - 10 * ratio;
        const half = Math.max(8 * ratio, ctx.measureText(said).width / 2 + 5 * ratio);
        ctx.beginPath();
        ctx.roundRect(x - half, y - 8 * ratio, 2 * half, 16 * ratio, 8 * ratio);
        ctx.fillStyle = colour("card");
        ctx.fill();
        ctx.lineWidth = ratio;
        ctx.strokeStyle = colour("soft");
        ctx.stroke();
        ctx.fillStyle = colour("ink");
        ctx.fillText(said, x, y + 0.5 * ratio);
      }
    }

    function hover(u) {
      const { left, top } = u.cursor;
      const lane = data.lanes[Math.floor((top / u.over.clientHeight) * data.lanes.length)];
      tip.hidden = left < 0 || !lane;
      if (tip.hidden) return;
      const at = u.posToVal(left, "x") - data.began;
      const near = lane.looks.reduce((best, look) => (Math.abs(look[0] - at) < Math.abs(best[0] - at) ? look : best));
      const [time, ok, latency, who, detail] = near;
      const said = ok ? [who, `${Math.round(latency)} ms`, detail] : ["failed", detail, who && `from ${who}`];
      tip.textContent = `${clock(data.began + time)}  ${lane.name}: ${said.filter(Boolean).join(", ")}`;
      tip.style.top = `${Math.min(top + 14, u.over.clientHeight - 34)}px`;
      tip.style.left = `${Math.max(0, Math.min(left + 12, u.over.clientWidth - tip.offsetWidth))}px`;
    }
  }

  function listCalls(into) {
    const table = document.createElement("table");
    const line = (cells, kind, into) => {
      const row = into.insertRow();
      cells.forEach((text, index) => {
        const cell = document.createElement(kind);
        cell.textContent = text;
        if (index === 0 || index > 4) cell.className = "n";
        row.append(cell);
      });
    };
    line(["Time", "Service", "Operation", "Region", "Endpoint", "Status", "ms"], "th", table.createTHead());
    const body = table.createTBody();
    for (const [time, ...rest] of data.calls) line([clock(time), ...rest], "td", body);
    into.replaceChildren(table);
  }
})();
