"""A second, independent implementation of the analysis: plain Python, one loop, no numpy.

Written from the specification, not from the package, and slow on purpose: every sum is a plain sum,
every probability an exact fraction or a product.
"""

import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Rows = list[dict[str, Any]]


def clip(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def shrunken(passes: list[int], trials: list[int]) -> list[float]:
    n = len(passes)
    f = [s / b for s, b in zip(passes, trials, strict=True)]
    mu = clip(sum(f) / n, 0.02, 0.98)
    if all(b == 1 for b in trials) or n == 1:
        rho = 0.6
    else:
        variance = sum((x - sum(f) / n) ** 2 for x in f) / (n - 1)
        inverse = sum(1 / b for b in trials) / n
        rho = clip((variance / (mu * (1 - mu)) - inverse) / (1 - inverse), 0.05, 0.75)
    m = 1 / rho - 1
    return [clip((mu * m + s) / (m + b), 0.001, 0.999) for s, b in zip(passes, trials, strict=True)]


def midp_less(x: list[int], w: list[int], s: list[int], b: list[int]) -> float:
    """Ways to draw, in whole numbers; one fraction at the very end."""
    ways, of, observed = [1], 1, 0
    for xi, wi, si, bi in zip(x, w, s, b, strict=True):
        if wi == 0 or bi == 0:
            continue
        observed += xi
        k, n = xi + si, wi + bi
        after = [0] * (len(ways) + min(wi, k))
        for j in range(max(0, k - bi), min(wi, k) + 1):
            own = math.comb(k, j) * math.comb(n - k, wi - j)
            for t, p in enumerate(ways):
                after[t + j] += p * own
        ways, of = after, of * math.comb(n, wi)
    return float(Fraction(2 * sum(ways[:observed]) + ways[observed], 2 * of))


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def shifted(p: float, d: float) -> float:
    return logistic(math.log(p / (1 - p)) - d)


def ratio(day: dict[str, tuple[int, int]], p: dict[str, float], q: dict[str, float]) -> float:
    return sum(
        y * math.log(q[i] / p[i]) + (m - y) * math.log((1 - q[i]) / (1 - p[i]))
        for i, (y, m) in day.items()
    )


def solve(function: Any, target: float, low: float, high: float) -> float:
    for _ in range(300):
        middle = (low + high) / 2
        if function(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


class Opinion:
    """Runs through the days once and keeps everything worth comparing."""

    def __init__(self, rows: Rows, baseline_days: int = 14, arl: int = 365) -> None:
        self.cells: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
        for row in rows:
            day = date.fromisoformat(row["day"])
            self.cells[day][row["instance"]] = (row["passes"], row["trials"])
        self.freeze(baseline_days)
        self.prepare(arl)
        self.path: list[dict[str, Any]] = []
        self.alarms: list[dict[str, Any]] = []
        self.status = "ok"
        self.after: list[date] = []
        self.calm = 0
        for day in sorted(self.cells):
            if day > self.frozen_on:
                self.step(day)

    def valid(self, day: date) -> dict[str, tuple[int, int]]:
        return {i: c for i, c in self.cells[day].items() if i in self.panel and c[1] > 0}

    def freeze(self, wanted: int) -> None:
        first = min(self.cells)
        for extra in range(wanted + 1):
            end = first + timedelta(days=wanted - 1 + extra)
            span = [d for d in sorted(self.cells) if d <= end]
            self.panel = sorted({i for d in span for i in self.cells[d]})
            days = [d for d in span if len(self.valid(d)) >= 0.8 * len(self.panel) - 1e-9]
            if len(days) == wanted or extra == wanted:
                break
        self.frozen_on = days[-1] if len(days) == wanted else end
        got = {i: sum(self.valid(d).get(i, (0, 0))[1] for d in days) for i in self.panel}
        self.panel = [i for i in self.panel if got[i] >= max(5, wanted / 2)]
        self.s0 = {i: sum(self.valid(d).get(i, (0, 0))[0] for d in days) for i in self.panel}
        self.b0 = {i: got[i] for i in self.panel}
        self.p0 = self.rates(self.s0, self.b0)
        trials = Counter(m for d in days for _, m in self.valid(d).values())
        self.k = min(m for m, n in trials.items() if n == max(trials.values()))
        residuals = [sum(y - m * self.p0[i] for i, (y, m) in self.valid(d).items()) for d in days]
        variances = [
            sum(m * self.p0[i] * (1 - self.p0[i]) for i, (_, m) in self.valid(d).items())
            for d in days
        ]
        mean = sum(residuals) / len(days)
        spread = sum((r - mean) ** 2 for r in residuals)
        self.ss = 10 + spread / (sum(variances) / len(days))
        self.df = 10 + len(days) - 1

    def rates(self, s: dict[str, int], b: dict[str, int]) -> dict[str, float]:
        values = shrunken([s[i] for i in self.panel], [b[i] for i in self.panel])
        return dict(zip(self.panel, values, strict=True))

    def prepare(self, arl: int) -> None:
        scale = 0.5 * math.sqrt(sum(self.k * p * (1 - p) for p in self.p0.values()))
        x = solve(lambda v: (math.exp(v) - v - 1) / (scale**2 / 2), 2 * arl, 0.0, 40.0)
        self.threshold = x - 1.166 * scale + 0.25
        n = len(self.panel)
        mean = sum(self.p0.values()) / n
        self.alternatives = []
        for effect in (0.02, 0.05, 0.10):
            d = solve(
                lambda v: sum(p - shifted(p, v) for p in self.p0.values()) / n, effect, 0.0, 60.0
            )
            self.alternatives.append({i: shifted(p, d) for i, p in self.p0.items()})
            self.alternatives.append({i: p * (1 - effect / mean) for i, p in self.p0.items()})
        self.s, self.b, self.p = dict(self.s0), dict(self.b0), dict(self.p0)
        self.waiting: list[tuple[date, float]] = []
        self.restart(self.frozen_on)

    def restart(self, day: date) -> None:
        self.c = {"capability": 0.0, "breakage": 0.0, "improvement": 0.0}
        self.zero = {"capability": day, "breakage": day}
        self.m = [0.0] * 6

    def step(self, day: date) -> None:
        cells = self.valid(day)
        phi = max(1.0, self.ss / self.df)
        if len(cells) < 0.8 * len(self.panel) - 1e-9:
            self.record(day, "held", phi)
            return
        q = {
            "capability": {i: shifted(p, 0.5) for i, p in self.p.items()},
            "breakage": {i: 0.9 * p for i, p in self.p.items()},
            "improvement": {i: shifted(p, -0.5) for i, p in self.p.items()},
        }
        for name, alternative in q.items():
            self.c[name] = max(0.0, self.c[name] + ratio(cells, self.p, alternative) / phi)
            if name in self.zero and self.c[name] == 0:
                self.zero[name] = day
        self.m = [
            (1 + m) * math.exp(ratio(cells, self.p0, alternative))
            for m, alternative in zip(self.m, self.alternatives, strict=True)
        ]
        gap = sum(y - m * self.p[i] for i, (y, m) in cells.items())
        noise = sum(m * self.p[i] * (1 - self.p[i]) for i, (_, m) in cells.items())
        self.waiting.append((day, gap * gap / noise))
        if self.c["capability"] == 0:
            for past, squared in self.waiting:
                for i, (y, m) in self.valid(past).items():
                    self.s[i] += y
                    self.b[i] += m
                self.ss += squared
                self.df += 1
            self.waiting = []
            self.p = self.rates(self.s, self.b)
        gate = "ok" if len(cells) >= 0.9 * len(self.panel) - 1e-9 else "partial"
        self.record(day, gate, phi)
        self.judge(day)
        self.path[-1]["status"] = self.status

    def record(self, day: date, gate: str, phi: float) -> None:
        evidence = sum(self.m) / 6
        self.path.append(
            {
                "day": day.isoformat(),
                "gate": gate,
                "phi": phi,
                **self.c,
                "evidence_log10": math.log10(evidence) if evidence > 0 else None,
                "status": self.status,
            }
        )

    def gated(self, days: list[date]) -> list[date]:
        held = {entry["day"] for entry in self.path if entry["gate"] == "held"}
        return [d for d in days if d > self.frozen_on and d.isoformat() not in held]

    def sums(self, days: list[date]) -> tuple[list[int], list[int], list[int], list[int]]:
        cells = [self.valid(d) for d in days]
        x = [sum(c.get(i, (0, 0))[0] for c in cells) for i in self.panel]
        w = [sum(c.get(i, (0, 0))[1] for c in cells) for i in self.panel]
        return x, w, [self.s0[i] for i in self.panel], [self.b0[i] for i in self.panel]

    def window(self, until: date, length: int) -> list[date]:
        span = [d for d in sorted(self.cells) if until - timedelta(days=length) < d <= until]
        return self.gated(span)

    def judge(self, day: date) -> None:
        if self.status == "degraded":
            self.after.append(day)
            alarm = self.alarms[-1]
            if midp_less(*self.sums(self.after)) < 0.01:
                alarm["outcome"], alarm["confirmed_on"] = "confirmed", day.isoformat()
                self.status, self.calm = "confirmed", 0
            elif len(self.after) == 7:
                alarm["outcome"], alarm["ended_on"] = "unconfirmed", day.isoformat()
                self.status, self.waiting = "ok", []
                self.restart(day)
        elif self.status == "confirmed":
            x, w, s, b = self.sums(self.window(day, 7))
            deltas = [
                xi / wi - si / bi for xi, wi, si, bi in zip(x, w, s, b, strict=True) if wi > 0
            ]
            quiet = sum(deltas) / len(deltas) > -0.01 and midp_less(x, w, s, b) > 0.2
            self.calm = self.calm + 1 if quiet else 0
            if self.calm == 7:
                alarm = self.alarms[-1]
                alarm["outcome"], alarm["ended_on"] = "resolved", day.isoformat()
                change = date.fromisoformat(alarm["change_day"])
                self.waiting = [entry for entry in self.waiting if entry[0] < change]
                self.status = "resolved"
                self.restart(day)
        else:
            over = [n for n in ("capability", "breakage") if self.c[n] >= self.threshold]
            top = max(self.c["capability"], self.c["breakage"])
            self.status = "degraded" if over else "watch" if top > 1.5 else "ok"
            if over:
                self.after = []
                change = self.zero[over[0]] + timedelta(days=1)
                self.alarms.append(
                    {
                        "day": day.isoformat(),
                        "component": over[0],
                        "change_day": change.isoformat(),
                        "outcome": "open",
                        "confirmed_on": None,
                        "ended_on": None,
                    }
                )

    def report(self, length: int) -> dict[str, Any] | None:
        days = self.window(max(self.cells), length)
        if not days:
            return None
        x, w, s, b = self.sums(days)
        phi = max(1.0, self.ss / self.df)
        used = [n for n in range(len(x)) if w[n] > 0]
        r = shrunken([x[n] + s[n] for n in used], [w[n] + b[n] for n in used])
        n = len(used)
        delta = sum(x[i] / w[i] - s[i] / b[i] for i in used) / n
        noise = sum(ri * (1 - ri) * (1 / w[i] + 1 / b[i]) for ri, i in zip(r, used, strict=True))
        half = 1.959963984540054 * math.sqrt(phi * noise) / n
        p = [self.p0[self.panel[i]] for i in used]
        inverse = sum(1 / w[i] for i in used) / n + sum(1 / b[i] for i in used) / n
        mean_pq = sum(v * (1 - v) for v in p) / n
        return {
            "pass_rate": sum(x) / sum(w),
            "expected": sum(v * w[i] for v, i in zip(p, used, strict=True)) / sum(w),
            "delta": delta,
            "delta_ci": [delta - half, delta + half],
            "midp_less": midp_less(x, w, s, b),
            "mde": (1.6448536269514722 + 0.8416212335729143)
            * math.sqrt(phi * mean_pq / n * inverse),
            "days": tuple(days),
        }

    def holm(self) -> dict[int, float | None]:
        reports = {length: self.report(length) for length in (1, 7, 30)}
        tests = {r["days"]: r["midp_less"] for r in reports.values() if r}
        adjusted: dict[tuple[date, ...], float] = {}
        highest = 0.0
        for rank, days in enumerate(sorted(tests, key=lambda d: tests[d])):
            highest = max(highest, min(1.0, (len(tests) - rank) * tests[days]))
            adjusted[days] = highest
        return {length: adjusted[r["days"]] if r else None for length, r in reports.items()}
