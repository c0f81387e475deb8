"""Small faults in one C file, found in clang's syntax tree: each is one place of the text and what stands there instead."""
import dataclasses
import subprocess

from clang.cindex import CursorKind, Index, TokenKind, TypeKind

RELATIONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
OPERATORS = RELATIONS | {
    "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("/",), "<<": (">>",), ">>": ("<<",), "|": ("&",),
    "&": ("|",), "+=": ("-=",), "-=": ("+=",), "|=": ("&=",), "&=": ("|=",)}
WORDS = {"true": "false", "false": "true", "YES": "NO", "NO": "YES"}
CONDITIONS = {CursorKind.IF_STMT, CursorKind.WHILE_STMT, CursorKind.CONDITIONAL_OPERATOR}
STATEMENTS = {CursorKind.CALL_EXPR, CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.UNARY_OPERATOR,
              CursorKind.RETURN_STMT, CursorKind.CONTINUE_STMT, CursorKind.BREAK_STMT}
BODIES = {CursorKind.COMPOUND_STMT, CursorKind.IF_STMT, CursorKind.FOR_STMT, CursorKind.WHILE_STMT, CursorKind.CASE_STMT,
          CursorKind.DEFAULT_STMT}


@dataclasses.dataclass(order=True)
class Mutant:
    start: int                  # bytes of the file
    end: int
    text: str                   # in their place
    file: str = ""
    function: str = ""
    name: str = ""              # the line, and what is changed in it: the same wherever the line moves

    def source(self, original):
        return original[:self.start] + self.text.encode() + original[self.end:]


class Mutator:
    def __init__(self, path, functions=()):
        self.path, self.functions = path, set(functions)
        self.source = open(path, "rb").read()
        resources = subprocess.run(["clang", "-print-resource-dir"], capture_output=True, text=True, check=True).stdout.strip()
        self.unit = Index.create().parse(path, ["-std=gnu17", "-D_GNU_SOURCE", "-iquote", ".", "-iquote", "lib", "-resource-dir", resources])
        self.found = []

    def mutants(self):
        for top in self.unit.cursor.get_children():
            if top.location.file and top.location.file.name == self.path and top.kind in (CursorKind.FUNCTION_DECL, CursorKind.VAR_DECL):
                if top.spelling in self.functions or not self.functions and not self.is_names(top):
                    self.function = top
                    self.visit(top, None)
        return self.named(sorted(set(map(dataclasses.astuple, self.found))))

    @staticmethod
    def is_names(top):
        """A table of words decides nothing."""
        return top.kind == CursorKind.VAR_DECL and "char *" in top.type.spelling

    def named(self, found):
        names, mutants = {}, []
        for m in (Mutant(*f) for f in found):
            names[m.function, m.name] = n = names.get((m.function, m.name), 0) + 1
            mutants.append(m if n == 1 else dataclasses.replace(m, name=f"{m.name} #{n}"))
        return mutants

    # ---- what is put where ----

    def text_of(self, start, end):
        return self.source[start:end].decode()

    def put(self, start, end, text):
        old = self.text_of(start, end)
        first, last = self.source.rfind(b"\n", 0, start) + 1, self.source.find(b"\n", end)
        around = self.text_of(first, start).lstrip(), self.text_of(end, last).split("/*")[0].rstrip()
        change = f"[{' '.join(old.split())} => {' '.join(text.split()) or 'nothing'}]"
        self.found.append(Mutant(start, end, text, self.path, self.function.spelling, around[0] + change + around[1]))

    def extent(self, cursor):
        """None where a macro has made it: what stands in the text is the macro's call."""
        start, end = cursor.extent.start, cursor.extent.end
        if start.file is None or start.file.name != self.path or end.offset <= start.offset:
            return None
        return start.offset, end.offset

    # ---- what is looked for ----

    def visit(self, cursor, parent):
        extent = self.extent(cursor)
        if extent:
            self.look_at(cursor, parent, *extent)
        for child in cursor.get_children():
            self.visit(child, cursor)

    def look_at(self, cursor, parent, start, end):
        if cursor.kind in (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR):
            self.operator(cursor)
        if cursor.kind == CursorKind.UNARY_OPERATOR:
            self.unary(start, end)
        if cursor.kind == CursorKind.INTEGER_LITERAL:
            self.constant(start, end)
        if cursor.kind == CursorKind.DECL_REF_EXPR and cursor.referenced and cursor.referenced.kind == CursorKind.ENUM_CONSTANT_DECL:
            self.enumerator(cursor.referenced, start, end)
        if cursor.kind in CONDITIONS:
            self.negate(next(cursor.get_children()))
        if cursor.kind == CursorKind.RETURN_STMT and self.function.result_type.get_canonical().kind == TypeKind.BOOL:
            self.negate(next(cursor.get_children()))
        if cursor.kind in STATEMENTS and parent is not None and parent.kind in BODIES:
            self.delete(cursor, parent, start, end)

    def operator_at(self, cursor):
        """Clang 14 tells everything of an operator but which it is: that is the token between its sides."""
        left, right = (self.extent(side) for side in cursor.get_children())
        for token in self.unit.get_tokens(extent=cursor.extent) if left and right else ():
            at = token.extent.start.offset
            if token.kind == TokenKind.PUNCTUATION and left[1] <= at < right[0] and token.spelling in OPERATORS:
                return at, token.spelling
        return None, None

    def operator_of(self, cursor):
        return self.operator_at(cursor)[1]

    def operator(self, cursor):
        at, operator = self.operator_at(cursor)
        for other in OPERATORS.get(operator, ()):
            self.put(at, at + len(operator), other)
        if operator in ("&&", "||"):            # either side alone
            for side in cursor.get_children():
                self.put(*self.extent(cursor), self.text_of(*self.extent(side)))

    def unary(self, start, end):
        text = self.text_of(start, end)
        if text[0] == "!":
            self.put(start, start + 1, "")
        elif text[0] == "~":
            self.put(start, start + 1, "")
        for a, b in (("++", "--"), ("--", "++")):
            if text.startswith(a):
                self.put(start, start + 2, b)
            elif text.endswith(a):
                self.put(end - 2, end, b)

    def constant(self, start, end):
        text = self.text_of(start, end)
        if text in WORDS:
            self.put(start, end, WORDS[text])
        elif text.isidentifier() or text[:1].isdigit():
            self.put(start, end, f"({text} + 1)")
            if text != "0":
                self.put(start, end, f"({text} - 1)")

    def enumerator(self, constant, start, end):
        others = [c.spelling for c in constant.semantic_parent.get_children()]
        others = [name for name in others if not name.startswith("N_") and name != constant.spelling]
        if others and self.text_of(start, end) == constant.spelling:
            self.put(start, end, others[constant.enum_value % len(others)])

    def negate(self, condition):
        extent = self.extent(condition)
        if extent and not self.is_turned_anyway(condition):
            self.put(*extent, f"!({self.text_of(*extent)})")

    def is_turned_anyway(self, condition):
        text = self.text_of(*self.extent(condition))
        return text in WORDS or text.startswith("!") or condition.kind == CursorKind.BINARY_OPERATOR and self.operator_of(condition) in ("==", "!=")

    def delete(self, cursor, parent, start, end):
        children = list(parent.get_children())
        if parent.kind in CONDITIONS | {CursorKind.FOR_STMT} and children[-1] != cursor and children[-2 if len(children) > 2 else -1] != cursor:
            return                      # a condition, or a part of for (;;)
        if cursor.kind == CursorKind.RETURN_STMT and self.is_last(cursor):
            return
        if cursor.kind == CursorKind.UNARY_OPERATOR and not self.text_of(start, end).endswith(("++", "--")):
            return
        self.put(start, end, "")

    def is_last(self, cursor):
        body = list(self.function.get_children())[-1]
        return list(body.get_children())[-1] == cursor and self.function.result_type.kind != TypeKind.VOID
