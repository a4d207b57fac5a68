"""Any rows, as Hypothesis finds them."""

from hypothesis import strategies as st

from benchwarden.exchange.results import About, Results
from benchwarden.results.row import KIND_CHARGE, KIND_RELEASE, KIND_VERDICT, Row
from benchwarden_runner import protocol

words = st.text(max_size=12)
ids = st.text(min_size=1, max_size=12)
counts = st.integers(0, 2**40)
seconds = st.floats(0, 1e6, allow_nan=False)
outcomes = {
    KIND_VERDICT: sorted({protocol.RESOLVED, *protocol.FAIL_CLASSES}),
    KIND_CHARGE: [protocol.HARNESS, protocol.GRADER_ERROR, *sorted(protocol.API_CLASSES)],
    KIND_RELEASE: [""],
}


@st.composite
def rows(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from(sorted(outcomes)))
    return Row(
        instance=draw(ids),
        trial=draw(st.integers(0, 3)),
        launch=draw(st.integers(1, 4)),
        kind=kind,
        outcome=draw(st.sampled_from(outcomes[kind])),
        batch=draw(words),
        finished_at=draw(st.sampled_from(["", "2026-07-01T03:00:00Z"])),
        reason=draw(words),
        agent_seconds=draw(seconds),
        grade_seconds=draw(seconds),
        input_tokens=draw(counts),
        output_tokens=draw(counts),
        cache_read_tokens=draw(counts),
        cache_write_tokens=draw(counts),
        cost_usd=draw(st.sampled_from(["0", "0.10", "1.2345", "3"])),
        tools=tuple(sorted(draw(st.dictionaries(words, counts, max_size=3)).items())),
        tests=draw(st.tuples(counts, counts, counts, counts)),
        artifact=draw(words),
    )


about = st.builds(
    About,
    run=words,
    suite=words,
    panel_digest=words,
    agent=words,
    model=words,
    cli_version=words,
    started_at=st.sampled_from(["", "2026-07-01T01:00:00Z"]),
    finished_at=st.sampled_from(["", "2026-07-01T04:00:00Z"]),
)
results = st.builds(Results, about, st.lists(rows(), max_size=8).map(tuple))
