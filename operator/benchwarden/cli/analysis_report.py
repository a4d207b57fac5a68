"""An analysis as one self-contained HTML page; names of instances are escaped, plots are inline SVG."""

from typing import Any

from jinja2 import Environment

from benchwarden.cli.stats_output import interval, p_value, percent, plain, points
from benchwarden.errors import UnavailableError
from benchwarden.stats.analysis import Analysis
from benchwarden.stats.baseline import Baseline

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>benchwarden analysis, {{ d.until }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
td, th { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8886; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; min-width: 6.5em; }
td:first-child { white-space: normal; overflow-wrap: anywhere; }
p { overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
.state { font-size: 1.3rem; font-weight: 600; }
</style></head><body>
<h1>Has it got worse? {{ d.until }}</h1>
<p class="state">{{ d.monitor.state }}{% if d.monitor.changepoint %}, since
{{ d.monitor.changepoint }}{% endif %}</p>
<p>Baseline: {{ percent(d.baseline.pass_rate) }} ({{ interval(d.baseline.wilson) }}) of
{{ d.baseline.trials }} trials on {{ d.baseline.days }} days. {{ d.baseline.problem }}
{% if d.baseline.dropped %}Left the panel: {{ d.baseline.dropped | join(", ") }}.{% endif %}</p>
{% if frozen %}
<table><tr><th>window</th><th>verdict</th><th>rate</th><th>95 %</th><th>expected</th><th>delta</th><th>95 %</th>
<th>p</th><th>Holm</th><th>MDE</th></tr>
{% for days, w in d.windows.items() %}<tr><td>{{ days }} d</td>
<td>{{ w.verdict or "no data" }}</td><td>{{ percent(w.pass_rate) }}</td>
<td>{{ interval(w.wilson) }}</td><td>{{ percent(w.expected) }}</td><td>{{ points(w.delta) }}</td>
<td>{{ interval(w.delta_ci) }}</td><td>{{ p_value(w.midp_less) }}</td><td>{{ p_value(w.holm) }}</td>
<td>{{ percent(w.mde) }}</td></tr>{% endfor %}</table>
{% for title, plot in plots %}<h2>{{ title }}</h2>{{ plot | safe }}{% endfor %}
<h2>Changed most</h2>
<table><tr><th>instance</th><th>baseline</th><th>now</th><th>delta</th><th>p</th></tr>
{% for f in d.flipped %}<tr><td>{{ f.instance }}</td>
<td>{{ f.baseline_passes }}/{{ f.baseline_trials }}</td><td>{{ f.passes }}/{{ f.trials }}</td>
<td>{{ points(f.delta, 0) }}</td><td>{{ p_value(f.midp) }}</td></tr>{% endfor %}</table>
<h2>Pages so far</h2>
<table><tr><th>day</th><th>component</th><th>change put at</th><th>outcome</th></tr>
{% for a in d.monitor.alarms %}<tr><td>{{ a.day }}</td><td>{{ a.component }}</td>
<td>{{ a.changepoint }}</td><td>{{ a.outcome }}</td></tr>{% endfor %}</table>
<p>Over-dispersion {{ plain(d.monitor.phi) }}, threshold {{ plain(d.monitor.threshold) }} nats,
{{ d.monitor.false_alarms }} pages not confirmed. Baseline digest {{ d.baseline.digest }}.</p>
{% endif %}</body></html>
"""


def render(analysis: Analysis, document: dict[str, Any]) -> str:
    """Return the page.

    Raises:
        UnavailableError: When matplotlib (the extra ``plots``) is not installed.
    """
    template = Environment(autoescape=True).from_string(_PAGE)
    helpers = (interval, p_value, percent, plain, points)
    return template.render(
        d=document,
        frozen=isinstance(analysis.baseline, Baseline),
        plots=plots_of(analysis, document),
        **{helper.__name__: helper for helper in helpers},
    )


def plots_of(analysis: Analysis, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Return titles and SVG pictures of an analysis; none before its baseline is frozen.

    Raises:
        UnavailableError: When matplotlib (the extra ``plots``) is not installed.
    """
    baseline, days = analysis.baseline, analysis.panel_days
    if not isinstance(baseline, Baseline) or analysis.monitor is None or not days:
        return []
    try:
        from benchwarden.cli import analysis_plots as plots
    except ImportError as error:
        raise UnavailableError(
            "the report needs matplotlib: install benchwarden with the extra `plots`"
        ) from error
    change_day = analysis.monitor.final.change_day
    return [
        ("Pass rate", plots.rate_plot(baseline, days, change_day)),
        ("Monitor", plots.statistics_plot(document, change_day)),
        ("Instances by week", plots.instance_plot(baseline, days)),
    ]
