"""Which releases the mini suite is made of: names, versions and checksums, pinned."""

from dataclasses import dataclass
from typing import Final

IMAGE: Final = "benchwarden.dev/mini-suite"
SECOND_IMAGE: Final = "benchwarden.dev/mini-suite-second"

# What runs the tests: pure Python wheels, the same for every interpreter.
TEST_TOOLS: Final = (
    ("pytest", "8.4.2"),
    ("iniconfig", "2.1.0"),
    ("packaging", "25.0"),
    ("pluggy", "1.6.0"),
    ("pygments", "2.19.2"),
)
# What pip needs to look into a source distribution without fetching anything else.
BUILD_TOOLS: Final = ("setuptools<81", "wheel<1", "flit_core<4", "hatchling<2")


@dataclass(frozen=True, slots=True)
class Release:
    """A published source distribution; `sha256` is that of the file."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two consecutive releases of a package, and how an instance is made of them.

    Attributes:
        package: name in the package index.
        source: files or folders (git pathspecs) whose change is the gold patch.
        tests: files or folders that hold tests; excluded from the gold patch.
        modules: test modules of the newer release that the grader runs.
        prompt: what the agent is asked, in our words.
        import_root: folder put on PYTHONPATH; empty = the work tree itself.
        as_patch: hidden tests travel as a diff instead of whole files.
        image: name of the image, without tag.
    """

    package: str
    older: Release
    newer: Release
    source: tuple[str, ...]
    tests: tuple[str, ...]
    modules: tuple[str, ...]
    prompt: str
    import_root: str = ""
    as_patch: bool = False
    image: str = IMAGE

    @property
    def id(self) -> str:
        """Id of the instance."""
        return f"{self.package}-{self.newer.version}"


_XMLTODICT_TESTS = ("tests/test_dicttoxml.py", "tests/test_xmltodict.py")
_XMLTODICT_0_15_0 = Release(
    "0.15.0", "c6d46b4e3413d1e4fc3e5016f0f1c7a5c10f8ce39efaa0cb099af986ecfc9a53"
)
_SQLPARSE_0_5_1 = Release(
    "0.5.1", "bb6b4df465655ef332548e24f08e205afc81b9ab86cb1c45657a7ff173a3a00e"
)
_PARSE_1_20_1 = Release(
    "1.20.1", "09002ca350ad42e76629995f71f7b518670bcf93548bdde3684fd55d2be51975"
)

PAIRS: Final = (
    Pair(
        package="xmltodict",
        older=Release("0.14.2", "201e7c28bb210e374999d1dde6382923ab0ed1a8a5faeece48ab525b7810a553"),
        newer=_XMLTODICT_0_15_0,
        source=("xmltodict.py",),
        tests=("tests/*.py",),
        modules=_XMLTODICT_TESTS,
        prompt=(
            "`xmltodict.unparse` writes element and attribute names into the XML as they are. A key such"
            " as `m><tag>content</tag` therefore injects markup. Make `unparse` raise ValueError when an"
            " element name, an attribute name or a namespace prefix under `@xmlns` contains `<` or `>`."
            " Values of attributes stay allowed to contain them and are escaped as before."
        ),
    ),
    Pair(
        package="xmltodict",
        older=_XMLTODICT_0_15_0,
        newer=Release("0.15.1", "3d8d49127f3ce6979d40a36dbcad96f8bab106d232d24b49efdd4bd21716983c"),
        source=("xmltodict.py",),
        tests=("tests/*.py",),
        modules=_XMLTODICT_TESTS,
        prompt=(
            "`xmltodict.unparse` refuses element and attribute names with angle brackets, but other"
            " names still break out of their place in the XML. Raise ValueError also for element names,"
            " attribute names and `@xmlns` prefixes that start with `?` or `!`, or contain `/`, a quote"
            " of either kind, `=` or any whitespace, and for names that are not strings."
        ),
    ),
    Pair(
        package="sqlparse",
        older=Release("0.5.0", "714d0a4932c059d16189f58ef5411ec2287a4360f17cdd0edd2d09d4c5087c93"),
        newer=_SQLPARSE_0_5_1,
        source=("sqlparse",),
        tests=("tests",),
        modules=(
            "tests/test_format.py",
            "tests/test_grouping.py",
            "tests/test_split.py",
            "tests/test_tokenize.py",
        ),
        prompt=(
            "Five things are wrong or missing in sqlparse.\n"
            "1. `strip_comments` is greedy: removing a comment also removes whitespace and line breaks"
            " that belong to the statement. Keep them.\n"
            "2. Splitting fails on several CASE expressions inside one BEGIN ... END block.\n"
            "3. Whitespace removal is wrong in nested expressions.\n"
            "4. ORDER BY clauses with NULLS FIRST or NULLS LAST are parsed and formatted wrongly.\n"
            "5. Add a formatter option `compact`: when true (and reindent is on) a CASE expression is"
            " kept on as few lines as possible."
        ),
    ),
    Pair(
        package="sqlparse",
        older=_SQLPARSE_0_5_1,
        newer=Release("0.5.2", "9e37b35e16d1cc652a2545f0997c1deb23ea28fa1f3eefe609eee3063c3b105f"),
        source=("sqlparse",),
        tests=("tests",),
        modules=("tests/test_format.py", "tests/test_regressions.py"),
        prompt=(
            "With `strip_comments=True` sqlparse also removes optimizer hints, that is comments that"
            " start with `/*+` or `--+`. Hints change what a database does: keep them. Treat"
            " EXTENSION as a keyword too."
        ),
    ),
    Pair(
        package="click",
        older=Release("8.1.7", "ca9853ad459e787e2192211578cc907e7594e294c7ccc834310722b41b9ca6de"),
        newer=Release("8.1.8", "ed53c9d8990d83c2a27deae68e4ee337473f6330c040a31d4225c9574d16096a"),
        source=("src/click",),
        tests=("tests",),
        modules=(
            "tests/test_commands.py",
            "tests/test_defaults.py",
            "tests/test_normalization.py",
            "tests/test_options.py",
            "tests/test_testing.py",
            "tests/test_types.py",
            "tests/test_utils.py",
        ),
        import_root="src",
        as_patch=True,
        prompt=(
            "Fix these defects of click.\n"
            "- The error message for an invalid `click.Path` whose name has escape sequences is printed"
            " over several lines; show the name escaped, on one line.\n"
            '- A default of `""` is not shown in the help of an option with `show_default=True`.\n'
            "- The default shown for a boolean flag ignores `default_map`.\n"
            "- The help option made from `help_option_names` is created anew each time, so its place"
            " among eager parameters is lost: parameters must be processed in the order of invocation,"
            " the help option included. Create it once per command and keep it.\n"
            "- Defining an option whose name is not an identifier gives an unhelpful error; name the"
            " option in the message."
        ),
    ),
    Pair(
        package="h11",
        older=Release("0.14.0", "8f19fbbe99e72420ff35c00b27a34cb9937e902a8b810e2c88300c6f0a3b699d"),
        newer=Release("0.15.0", "2a7db2d2beffd4e6c6bbe3a64305ab77d89087976e8aed8fdcff4b054744e72f"),
        source=("h11",),
        tests=("h11/tests",),
        modules=(
            "h11/tests/test_connection.py",
            "h11/tests/test_events.py",
            "h11/tests/test_headers.py",
            "h11/tests/test_io.py",
        ),
        prompt=(
            "h11 turns a Content-Length header of any number of digits into an integer, and Python"
            " refuses very long ones with an unrelated error. Reject values of more than 20 digits early"
            " with a LocalProtocolError, before they are converted."
        ),
    ),
    Pair(
        package="parse",
        older=Release("1.20.0", "bd28bae37714b45d5894d77160a16e2be36b64a3b618c81168b3684676aa498b"),
        newer=_PARSE_1_20_1,
        source=("parse.py",),
        tests=("tests",),
        modules=("tests/test_bugs.py", "tests/test_parse.py"),
        image=SECOND_IMAGE,
        prompt=(
            "Two changes to the parse module. First: the `%f` directive of a strftime-style format must"
            " accept one to six digits of fractional seconds, not only exactly six. Second: a Parser"
            " object gets a read-only property `format` with its format string, and `named_fields` and"
            " `fixed_fields` return copies that the caller may change."
        ),
    ),
    Pair(
        package="parse",
        older=_PARSE_1_20_1,
        newer=Release("1.20.2", "b41d604d16503c79d81af5165155c0b20f6c8d6c559efa66b4b695c3e5a0a0ce"),
        source=("parse.py",),
        tests=("tests",),
        modules=("tests/test_bugs.py", "tests/test_parse.py"),
        image=SECOND_IMAGE,
        prompt=(
            "Field names with a hyphen inside, as in `{some-name}`, are not recognised by parse. Allow"
            " them. Two fields whose names become the same regular expression group, such as `a_b` and"
            " `a-b`, must still be told apart."
        ),
    ),
    Pair(
        package="boltons",
        older=Release("24.1.0", "4a49b7d57ee055b83a458c8682a2a6f199d263a8aa517098bda9bab813554b87"),
        newer=Release("25.0.0", "e110fbdc30b7b9868cb604e3f71d4722dd8f4dcb4a5ddd06028ba8f1ab0b5ace"),
        source=("boltons",),
        tests=("tests",),
        modules=("tests/test_fileutils.py", "tests/test_strutils.py", "tests/test_timeutils.py"),
        prompt=(
            "Add `rotate_file(filename, *, keep=5)` to boltons/fileutils.py: like log rotation, it"
            " renames `name.ext` to `name.1.ext`, `name.1.ext` to `name.2.ext` and so on, keeps at most"
            " `keep` rotated files, and does nothing when the file does not exist. Also make"
            " `atomic_save` flush the file to disk (fsync) before it replaces the destination."
        ),
    ),
    Pair(
        package="cachetools",
        older=Release("5.5.2", "1a661caa9175d26759571b2e19580f9d6393969e5dfca11fdb1f947a23e640d4"),
        newer=Release("6.0.0", "f225782b84438f828328fc2ad74346522f27e5b1440f4e9fd18b20ebfd1aa2cf"),
        source=("src/cachetools",),
        tests=("tests",),
        modules=("tests/test_cached.py", "tests/test_cachedmethod.py", "tests/test_func.py"),
        import_root="src",
        prompt=(
            "Many threads that miss the same key of a cache all compute its value (a cache stampede)."
            " Give the `cached` and `cachedmethod` decorators an optional argument `condition`, a"
            " threading.Condition (for cachedmethod: a function of self that returns one): while one"
            " call computes a key, others wait for its result. `cached` with `info=True` supports it"
            " too, the wrapper exposes it as `cache_condition` (and as `cache_lock` if no lock is given),"
            " and the decorators of `cachetools.func` use one. Remove MRUCache and `func.mru_cache`."
            " When `cachedmethod`'s cache function returns None, warn with a DeprecationWarning."
        ),
    ),
    Pair(
        package="more-itertools",
        older=Release("10.3.0", "e5d93ef411224fbcef366a6e8ddc4c5781bc6359d43412a65dd5964e46111463"),
        newer=Release("10.4.0", "fe0e63c4ab068eac62410ab05cccca2dc71ec44ba8ef29916a0090df061cf923"),
        source=("more_itertools",),
        tests=("tests",),
        modules=("tests/test_more.py", "tests/test_recipes.py"),
        as_patch=True,
        prompt=(
            "Extend functions of more_itertools: `circular_shifts` takes `steps`; `distinct_permutations`"
            " accepts items that cannot be compared or hashed; `sample` takes `counts` and `strict`;"
            " `set_partitions` takes `min_size` and `max_size`; `sort_together` takes `strict`; a"
            " seekable's `relative_seek` remembers earlier calls. Arguments that are left out change"
            " nothing."
        ),
    ),
    Pair(
        package="pathspec",
        older=Release("0.11.2", "e0d8d0ac2f12da61956eb2306b69f9469b42f4deb0f3cb6ed47b9cce9996ced3"),
        newer=Release("0.12.0", "c57e16065a97b7beb175f13c84d27cb05f7b7315741c2fbd5de541042f4ea6e1"),
        source=("pathspec",),
        tests=("tests",),
        modules=(
            "tests/test_01_util.py",
            "tests/test_02_gitwildmatch.py",
            "tests/test_03_pathspec.py",
            "tests/test_04_gitignore.py",
        ),
        prompt=(
            "Callers of pathspec want to know which pattern decided. Add `check_file`, `check_files` and"
            " `check_tree_files` to PathSpec: like the `match_*` methods, but they return (or yield)"
            " `pathspec.util.CheckResult` objects with `file`, `include` (True, False or None) and"
            " `index` (that of the last pattern that matched, or None). Keep the uncompiled text of a"
            " RegexPattern in its attribute `pattern`. `PathSpec._match_file` now takes an iterable of"
            " (index, pattern) and returns (include, index); `check_match_file` in pathspec.util does so"
            " too. Also make GitIgnoreSpec agree with git where a re-included file lies below an excluded"
            " directory."
        ),
    ),
)
