#!/usr/bin/env python3
"""The checks of tools/ find what they promise to find, and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
sys.dont_write_bytecode = True
import check_layers  # noqa: E402
import check_promises  # noqa: E402
import check_style  # noqa: E402
import check_words  # noqa: E402


class PromisesTest(unittest.TestCase):
    def found(self, *rows):
        with tempfile.TemporaryDirectory() as root:
            for path, text in [("tests/a_test.cpp", "TEST_F(Some, Thing) {"), ("tests/b.py", "def test_it(api):\n"),
                               (check_promises.PAGE, "\n".join(["| Promise | Held by |", "| --- | --- |", *rows]))]:
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return list(check_promises.findings(pathlib.Path(root)))

    def test_a_test_that_exists_holds_a_promise(self):
        self.assertEqual(self.found("| a | `tests/a_test.cpp::Thing` |", "| b | `tests/b.py::test_it` |"), [])

    def test_a_test_that_does_not_exist_is_named_with_its_line(self):
        for row in ("| a | `tests/a_test.cpp::Other` |", "| a | `tests/none.py::test_it` |", "| a | nothing |"):
            (found,) = self.found(row)
            self.assertIn(":3:", found)


class LayersTest(unittest.TestCase):
    def found(self, path, *includes):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root, "src/nostro", path)
            file.parent.mkdir(parents=True)
            file.write_text("".join(f'#include "{name}"\n' for name in includes))
            return list(check_layers.findings(pathlib.Path(root)))

    def test_an_include_that_points_down_or_stays_is_fine(self):
        for path, include in [
            ("domain/money.hpp", "nostro/base/result.hpp"),
            ("domain/money.cpp", "nostro/domain/money.hpp"),
            ("journal/segment.cpp", "nostro/ports/journal.hpp"),
            ("adapters/memory/journal.cpp", "nostro/ports/journal.hpp"),
            ("adapters/memory/journal.cpp", "nostro/adapters/memory/journal.hpp"),
            ("app/wiring.cpp", "nostro/adapters/memory/journal.hpp"),
            ("cli/serve.cpp", "nostro/http/server.hpp"),
            ("base/text.cpp", "fmt/format.h"),
        ]:
            self.assertEqual(self.found(path, include), [], (path, include))

    def test_an_include_that_points_up_or_aside_is_named_with_its_line(self):
        for path, include in [
            ("base/text.cpp", "nostro/domain/money.hpp"),
            ("domain/book.cpp", "nostro/ports/journal.hpp"),
            ("wire/frame.cpp", "nostro/formats/paysim.hpp"),
            ("wire/frame.cpp", "nostro/ports/journal.hpp"),
            ("engine/feed.cpp", "nostro/journal/segment.hpp"),
            ("journal/segment.cpp", "nostro/engine/feed.hpp"),
            ("adapters/kafka/journal.cpp", "nostro/adapters/memory/journal.hpp"),
            ("adapters/memory/journal.cpp", "nostro/engine/feed.hpp"),
            ("cli/serve.cpp", "nostro/app/wiring.hpp"),
            ("http/server.cpp", "nostro/adapters/memory/journal.hpp"),
        ]:
            found = self.found(path, "nostro/base/result.hpp", include)
            self.assertEqual(len(found), 1, (path, include))
            self.assertIn(f"{path}:2: ", found[0])

    def test_a_folder_that_is_no_layer_is_refused(self):
        self.assertEqual(len(self.found("newthing/a.cpp", "nostro/base/result.hpp")), 1)


class StyleTest(unittest.TestCase):
    LONG = "".join(f"    work({i});\n" for i in range(check_style.FUNCTION_LINES))

    def found(self, text, path="src/a.cpp"):
        return list(check_style.findings(path, text))

    def test_a_short_function_is_fine_and_so_are_many(self):
        self.assertEqual(self.found("int f() {\n    return 1;\n}\n" * 150), [])

    def test_a_long_function_is_named_with_its_first_line(self):
        for head in ["int f() {", "namespace a {\nint f() {", "struct S {\n    int f() const noexcept {", "TEST(A, B) {",
                     "S::S(int a) : a_{a}, b_(a) {", "template <class T>\nauto f(T t) -> std::vector<T> {",
                     "bool S::operator==(const S& o) const {", "void f(int a = 1) {",
                     "static const std::map<int, int>& table(char c = '{') {"]:
            found = self.found(f"#define OPEN {{\n// {{\n\n{head}\n{self.LONG}}}\n")
            self.assertEqual(len(found), 1, head)
            self.assertRegex(found[0], r"^src/a.cpp:[45]: a function of 7[1-9] lines")

    def test_floating_point_is_named_where_amounts_are_and_nowhere_else(self):
        for code in ("double x = 0;", "auto x = static_cast<float>(y);", "auto x = std::stod(text);"):
            self.assertEqual(len(self.found(f"int a;\n{code}\n", "src/nostro/domain/money.cpp")), 1, code)
            self.assertEqual(self.found(f"{code}\n", "src/nostro/base/metrics.cpp"), [])
        self.assertEqual(self.found('// a double\nf("float");\n', "src/nostro/wire/frame.cpp"), [])

    def test_a_reason_above_it_excuses_a_long_function(self):
        self.assertEqual(self.found(f"// What it does.\n// long: one table read top to bottom\nint f() {{\n{self.LONG}}}\n"), [])

    def test_a_reason_that_says_nothing_excuses_nothing(self):
        self.assertEqual(len(self.found(f"// long: because\nint f() {{\n{self.LONG}}}\n")), 1)

    def test_long_tables_and_types_are_no_functions(self):
        rows = "".join(f'    {{"{i}", f({i})}},\n' for i in range(100))
        for head in ["constexpr std::array<Row, 100> kRows{{", "const auto kRows = std::to_array<Row>({", "class A {", "enum class E {"]:
            self.assertEqual(self.found(f"{head}\n{rows}}}\n"), [], head)

    def test_a_long_file_needs_a_reason_near_its_top(self):
        lines = "int a;\n" * check_style.FILE_LINES
        self.assertEqual(self.found(lines), [])
        self.assertEqual(len(self.found(lines + "int b;\n")), 1)
        self.assertEqual(self.found("// long file: one table of all currencies\n" + lines), [])
        self.assertEqual(len(self.found(lines + "\n# long file: said too late here\n", "tools/a.py")), 1)


class WordsTest(unittest.TestCase):
    def found(self, text):
        return list(check_words.findings("a.md", text))

    def test_ordinary_text_is_fine(self):
        self.assertEqual(self.found("a path: /v1/payments, /va" + "r/lib/nostro, build/tm" + "p/x, ${TMPDIR:-/tm" + "p}; an issue of shares\n"), [])

    def test_each_forbidden_thing_is_named_with_its_line(self):
        for text in ["/wor" + "k/nostro", "see /tm" + "p/x", "/hom" + "e/ann/x", "from pyp" + "i.org", "TO" + "DO: later",
                     "GTEST_SK" + "IP()", "as is" + "sue 3 asks"]:
            found = self.found(f"fine\n{text}\n")
            self.assertEqual(len(found), 1, text)
            self.assertTrue(found[0].startswith("a.md:2: "))


if __name__ == "__main__":
    unittest.main()
