#!/usr/bin/env python3
# headers_test.py - what tools/headers.py reads in a header, and what it refuses.
# Usage: headers_test.py [-v]
import pathlib
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import headers

CONTRACT = " * @par Contract\n * thread:loop  blocks:no  reenters:no  since:0.1\n"


def header(body, opening="/* rondo/x.h - things. */"):
    """A header around some declarations."""
    return f"{opening}\n#ifndef RONDO_X_H\n#define RONDO_X_H\n\nRONDO_BEGIN_DECLS\n{body}\nRONDO_END_DECLS\n#endif\n"


def function(comment, prototype="rondo_status rondo_x_go(rondo_x *x, int32_t count);"):
    return f"/**\n{comment}{CONTRACT} */\n{prototype}"


def read(body, **more):
    return headers.read_header("rondo/x.h", header(body, **more))


def one(body):
    return read(body).declarations[0]


class Reads(unittest.TestCase):
    def test_a_function_with_all_that_it_can_say(self):
        it = one("""/**
 * Go somewhere (go()). It takes a while.
 *
 * Not on Sundays.
 *
 *     rondo_x_go(x, 2);
 *
 *     done();
 *
 * @param count How many;
 *              at least one.
 * @return RONDO_OK, -EINVAL (count) or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks  moves:x  since:0.1
 */
rondo_status rondo_x_go(const rondo_x *x,
                        int32_t count, void (*fn)(void *arg), ...);""")
        self.assertEqual((it.kind, it.name, it.result), ("function", "rondo_x_go", "rondo_status"))
        self.assertEqual([(p.name, p.type) for p in it.parameters],
                         [("x", "const rondo_x *"), ("count", "int32_t"), ("fn", "void (*)(void *arg)"), ("...", "")])
        self.assertEqual(it.parameters[1].doc, "How many; at least one.")
        self.assertEqual(it.doc.summary, "Go somewhere (go()).")
        self.assertEqual(it.doc.blocks, [headers.Paragraph("It takes a while."), headers.Paragraph("Not on Sundays."),
                                         headers.Code(["rondo_x_go(x, 2);", "", "done();"])])
        self.assertTrue(it.doc.continued)
        self.assertEqual(it.doc.returns.statuses, [("RONDO_OK", ""), ("-EINVAL", "count"), ("-ENOMEM", "")])
        self.assertEqual(it.doc.contract_values("reenters"), ["drop (on failure),callbacks"])

    def test_a_short_comment(self):
        it = one("/** Add one. NULL is a no-op.\n" + CONTRACT.rstrip("\n") + " */\nint32_t rondo_x_add(void);")
        self.assertEqual((it.doc.summary, it.parameters, it.result), ("Add one.", [], "int32_t"))

    def test_statuses_and_what_they_mean(self):
        def statuses(text):
            return dict(headers.returns_of(text).statuses)

        self.assertEqual(statuses("RONDO_OK; RONDO_E_TYPE (a task, or (not) one) or RONDO_E_X if it is done."),
                         {"RONDO_OK": "", "RONDO_E_TYPE": "a task, or (not) one", "RONDO_E_X": "if it is done"})
        self.assertEqual(statuses("RONDO_OK, a negative errno or RONDO_E_X."), {"RONDO_OK": "", "RONDO_E_X": ""})
        self.assertEqual(statuses("As rondo_x_go(), or -ENOMEM. With NULL, RONDO_E_X."),
                         {"-ENOMEM": "", "RONDO_E_X": "With NULL, RONDO_E_X."})
        self.assertEqual(headers.returns_of("RONDO_OK, else as rondo_x_go().").like, ["rondo_x_go"])
        self.assertEqual(statuses("RONDO_E_X as rondo_x_go()."), {"RONDO_E_X": "as rondo_x_go()"})

    def test_types(self):
        it = read("""/** A thing. */
typedef struct rondo_x rondo_x;
/** A number. */
typedef int32_t rondo_number;
/** Takes x. */
typedef void (*rondo_x_fn)(rondo_x *x, void *arg);
/** How to go. */
typedef struct rondo_x_options {
    /** sizeof(rondo_x_options). */
    uint32_t size;
    uint32_t limits[5]; /**< As many; 0
                             for all. */
    rondo_x_fn fn;      /**< Called. */
} rondo_x_options;""").declarations
        self.assertEqual([d.kind for d in it], ["handle", "alias", "callback", "struct"])
        self.assertEqual([(f.name, f.type, f.doc) for f in it[3].fields],
                         [("size", "uint32_t", "sizeof(rondo_x_options)."), ("limits", "uint32_t[5]", "As many; 0 for all."),
                          ("fn", "rondo_x_fn", "Called.")])

    def test_a_struct_that_is_named_before_its_callbacks(self):
        it = read("""/** A reply. */
typedef struct rondo_x rondo_x;
/** Writes. */
typedef void (*rondo_x_fn)(rondo_x *x);

struct rondo_x {
    rondo_x_fn write; /**< Copies. */
};""").declarations
        self.assertEqual([(d.kind, d.name) for d in it], [("struct", "rondo_x"), ("callback", "rondo_x_fn")])
        self.assertEqual(it[0].fields[0].doc, "Copies.")

    def test_macros_and_runs_of_constants(self):
        it = read("""/** One. */
#define RONDO_X_ONE 1
/** Two. */
#define RONDO_X_TWO (-2)

/** Another. */
#define RONDO_Y 0x1
#define RONDO_HIDDEN_(a) (a)
/** Do it. */
#define RONDO_DO_X(self, action) \\
    do {                          \\
        action;                   \\
    } while (0)""").declarations
        self.assertEqual([(d.name, d.value) for d in it[:3]], [("RONDO_X_ONE", "1"), ("RONDO_X_TWO", "(-2)"), ("RONDO_Y", "0x1")])
        self.assertEqual(it[0].run, it[1].run)
        self.assertNotEqual(it[1].run, it[2].run)
        self.assertEqual((it[3].kind, [p.name for p in it[3].parameters]), ("macro", ["self", "action"]))

    def test_what_stands_between_declarations(self):
        it = read("""/* ---- going ---- */

/*
 * THE WAY. It is long.
 *
 *   here   where it begins
 *   there  where it ends,
 *          at last
 */

""" + function(" * Go.\n"))
        self.assertEqual([(s.title, len(s.declarations)) for s in it.sections], [("", 0), ("going", 1)])
        self.assertEqual(it.blocks, [headers.Paragraph("It is long.", "THE WAY"), headers.Definitions(
            [("here", "where it begins"), ("there", "where it ends, at last")])])

    def test_an_opening_comment(self):
        it = read("", opening="/*\n * rondo/x.h - things that go:\n * fast. More of it.\n *\n * Why.\n */")
        self.assertEqual((it.title, it.blocks), ("things that go: fast", [headers.Paragraph("More of it."), headers.Paragraph("Why.")]))

    def test_inline_text(self):
        self.assertEqual(headers.spans("See rondo_x_go(), RONDO_E_X and -EINVAL in rondo/x.h, @p n, `a b`."),
                         [("text", "See "), ("function", "rondo_x_go()"), ("text", ", "), ("name", "RONDO_E_X"),
                          ("text", " and "), ("name", "-EINVAL"), ("text", " in "), ("header", "rondo/x.h"), ("text", ", "),
                          ("argument", "n"), ("text", ", "), ("code", "a b"), ("text", ".")])

    def test_sentences(self):
        self.assertEqual(headers.sentences('Say "a. b" now (e.g. this one. Or that). Then ... go. End'),
                         ['Say "a. b" now (e.g. this one. Or that).', "Then ... go.", "End"])


class Refuses(unittest.TestCase):
    def refuses(self, body, reason, **more):
        with self.assertRaises(headers.Error) as caught:
            read(body, **more)
        self.assertRegex(str(caught.exception), reason)
        self.assertRegex(str(caught.exception), r"^rondo/x\.h:\d*")

    def test_what_has_no_comment(self):
        self.refuses("rondo_status rondo_x_go(void);", "without a comment")
        self.refuses("#define RONDO_X 1", "RONDO_X has no comment")
        self.refuses("/** S. */\ntypedef struct rondo_x {\n    int32_t a;\n} rondo_x;", "field a has no comment")

    def test_comments_that_belong_to_nothing(self):
        self.refuses("/** Lost. */", "nothing behind it")
        self.refuses("/** Lost. */\n/** Found. */\n#define RONDO_X 1", "nothing behind it")
        self.refuses("/* a remark */", "belongs to nothing")
        self.refuses("/** For nobody. */\n#define RONDO_X_ 1", "not for them")
        self.refuses("/** S. */\ntypedef struct rondo_x {\n    int32_t a; /**< A. */ /**< B. */\n} rondo_x;", "belongs to no field")

    def test_contract_lines(self):
        self.refuses("/** Go. */\nvoid rondo_x_go(void);", "no contract line")
        self.refuses(function(" * Go.\n").replace("since:0.1", "until:0.2"), "no item of a contract line: 'until:0.2'")
        self.refuses(function(" * Go.\n").replace("blocks:no  ", ""), "says nothing of 'blocks'")
        self.refuses(function(" * Go.\n").replace("since:0.1", "since:0.1\n * @return RONDO_OK."), "end of a comment")

    def test_tags(self):
        self.refuses(function(" * Go.\n * @param other What.\n"), "@param other, but there is no such parameter")
        self.refuses(function(" * Go.\n * @param count\n"), "@param count says nothing")
        self.refuses(function(" * Go.\n * @param count A.\n * @param count B.\n"), "@param count")
        self.refuses(function(" * Go.\n * @returns RONDO_OK.\n"), "unknown tag @returns")
        self.refuses(function(" * Go.\n * @return RONDO_OK.\n * @return -EINVAL.\n"), "two @return")
        self.refuses(function(" * Go.\n * @return RONDO_OK.\n *\n * Lost words.\n"), "belongs to no tag: 'Lost words.'")

    def test_forms_of_prose(self):
        self.refuses(function(" * @return RONDO_OK.\n"), "does not begin with a sentence")
        self.refuses(function(" * Go.\n *\n *  - one\n *  - two\n"), "neither prose, nor code, nor definitions")

    def test_forms_of_declarations(self):
        self.refuses("/** E. */\nenum rondo_x { RONDO_A };", "not understood")
        self.refuses("/** G. */\nextern int32_t rondo_x;", "not understood")
        self.refuses("/** S. */\ntypedef struct rondo_x {\n    int32_t a; /**< A. */\n} rondo_y;", "is also called")
        self.refuses("/** Go. */\nvoid rondo_x_go(void", "without an end")
        self.refuses("#ifdef __linux__\n#endif", "depend on something")

    def test_openings(self):
        self.refuses("", "begins with", opening="/* rondo/y.h - another. */")
        self.refuses("", "begins with", opening="\n/* rondo/x.h - late. */")


class Library(unittest.TestCase):
    """What is checked across headers, on copies of the real ones with something changed."""

    def changed(self, name, old, new):
        with tempfile.TemporaryDirectory() as scratch:
            for path in (ROOT / "include").rglob("*.h"):
                copy = pathlib.Path(scratch, path.relative_to(ROOT / "include"))
                copy.parent.mkdir(exist_ok=True)
                text = path.read_text()
                if str(copy.relative_to(scratch)) == name:
                    self.assertIn(old, text)
                    text = text.replace(old, new, 1)
                copy.write_text(text)
            return headers.read(scratch)

    def refuses(self, name, old, new, reason):
        with self.assertRaisesRegex(headers.Error, reason):
            self.changed(name, old, new)

    def test_references(self):
        self.refuses("rondo/loop.h", "As rondo_loop_call_later(), with an absolute", "As rondo_loop_call_never(), with an absolute",
                     r"rondo_loop_call_at refers to rondo_loop_call_never\(\)")
        self.refuses("rondo/wait.h", "RONDO_E_STOP_ITERATION", "RONDO_E_STOP_IT", "RONDO_E_STOP_IT")

    def test_every_header_is_included(self):
        self.refuses("rondo.h", "#include <rondo/race.h>\n", "", "rondo/race.h")

    def test_names_are_declared_once(self):
        self.refuses("rondo/race.h", "rondo_staggered_race(size_t", "rondo_sleep(size_t", "rondo_sleep is declared twice")

    def test_a_status_means_something(self):
        self.refuses("rondo.h", " *   -ENOMEM ", " *   -ENOMAM ", "do not say what -ENOMEM means")

    def test_every_function_of_the_headers_is_read(self):
        """By another way: a name before a bracket at the beginning of a line, outside of comments and macros."""
        library = headers.read(ROOT / "include")
        for one in library.headers:
            text = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / one.name).read_text(), flags=re.S)
            text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)
            names = re.findall(r"^[a-z][\w ]*[ *](rondo_\w+)\(", text, re.M)
            self.assertEqual(names, [d.name for d in one.declarations if d.kind == "function"], one.name)

    def test_what_is_left_out_of_comments_is_told(self):
        library = headers.read(ROOT / "include")
        stop = dict(library.statuses_of(library["rondo_loop_stop"]))
        self.assertEqual(set(stop), {"RONDO_OK", "RONDO_E_LOOP_CLOSED", "-EINVAL", "RONDO_E_BAD_HANDLE",
                                     "RONDO_E_STALE_HANDLE", "RONDO_E_WRONG_THREAD", "RONDO_E_WRONG_PROCESS"})
        self.assertNotIn("-EINVAL", dict(library.statuses_of(library["rondo_loop_retain"])))
        self.assertEqual(set(dict(library.statuses_of(library["rondo_loop_call_at"]))),
                         set(dict(library.statuses_of(library["rondo_loop_call_soon"]))))
        self.assertEqual(library.statuses_of(library["rondo_error_get_status"]), [])

    def test_every_contract_line_has_words(self):
        for declaration in headers.read(ROOT / "include").declarations:
            for key, value in declaration.doc.contract:
                title, words = headers.contract_words(key, value)
                self.assertTrue(title and words[0].isupper() or key == "since", (declaration.name, key, value))


if __name__ == "__main__":
    unittest.main()
