"""A small language for vector loops: each method appends instructions in LLVM's intermediate language.

LLVM supports vectors of any length and maps them to the registers of the CPU that it compiles for.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from nerd_gui.compiled.compiler import has

FLOAT, HALF, INT, LONG = ir.FloatType(), ir.HalfType(), ir.IntType(32), ir.IntType(64)
_ADDRESS = ir.PointerType()
#: A value in the written program; llvmlite has many classes for them.
Value = Any
Number = Any  # a Value that is an integer, or a Python int

_EXP2_DEGREE = 6  # relative error 1e-8
_ALIGNMENT = 64  # bytes, a cache line


@functools.cache
def _exp2_polynomial(degree: int, start: float) -> list[float]:
    """Fit a polynomial to 2^x on [start, start + 1] at Chebyshev nodes, exact at 0; return its coefficients."""
    points = np.cos(np.pi * (np.arange(64) + 0.5) / 64) / 2 + 0.5 + start
    fit = np.polynomial.chebyshev.Chebyshev.fit(points, 2.0**points, degree, domain=[start, start + 1])
    return [1.0, *(float(value) for value in fit.convert(kind=np.polynomial.Polynomial).coef[1:])]


@dataclass(frozen=True)
class Array:
    """An array in memory: its address, and the type of its elements, which are numbers or vectors."""

    address: Value
    element: Any


class _BFloat(ir.Type):  # type: ignore[misc]  # llvmlite has no annotations
    """The type bfloat16, which llvmlite lacks."""

    def _to_string(self) -> str:
        return "bfloat"


_BFLOAT = _BFloat()


class VectorCode:
    """Writes one function; vectors have `lanes` floats.

    Parameters
    ----------
    module : llvmlite.ir.Module
    name : str
    pointers, numbers : int
        Numbers of its `arguments`: first arrays of floats, which must not overlap, then 64-bit integers.
    """

    def __init__(self, module: ir.Module, name: str, pointers: int, numbers: int, lanes: int) -> None:
        self.lanes = lanes
        self.vector = ir.VectorType(FLOAT, lanes)
        self._whole = ir.VectorType(INT, lanes)
        self._module = module
        self._streams = False
        kind = ir.FunctionType(ir.VoidType(), [_ADDRESS] * pointers + [LONG] * numbers)
        self._function = ir.Function(module, kind, name)
        for pointer in self._function.args[:pointers]:
            pointer.add_attribute("noalias")
        arrays, rest = self._function.args[:pointers], self._function.args[pointers:]
        self.arguments: list[Any] = [*(Array(address, FLOAT) for address in arrays), *rest]
        entry, first = (self._function.append_basic_block(name) for name in ("entry", "first"))
        ir.IRBuilder(entry).branch(first)
        self.builder = ir.IRBuilder(first)

    def end(self) -> None:
        """Write the return from the function; nothing can be added to it afterwards."""
        if self._streams:
            self.builder.fence("seq_cst")  # makes uncached writes visible to all threads
        self.builder.ret_void()

    # Whole numbers.

    def number(self, value: Number) -> Value:
        """Return an integer as a 64-bit value."""
        return LONG(value) if isinstance(value, int) else value

    def plus(self, *values: Number) -> Value:
        """Add whole numbers."""
        total = self.number(values[0])
        for value in values[1:]:
            total = self.builder.add(total, self.number(value))
        return total

    def minus(self, left: Number, right: Number) -> Value:
        """Subtract a whole number from another."""
        return self.builder.sub(self.number(left), self.number(right))

    def times(self, left: Number, right: Number) -> Value:
        """Multiply two whole numbers."""
        return self.builder.mul(self.number(left), self.number(right))

    def ceil_div(self, value: Number, by: int) -> Value:
        """Divide a whole number that is not negative, and round up."""
        return self.builder.sdiv(self.plus(value, by - 1), LONG(by))

    def round_up(self, value: Number, step: int) -> Value:
        """Round a whole number up to a multiple of `step`."""
        return self.times(self.ceil_div(value, step), step)

    def round_down(self, value: Number, step: int) -> Value:
        """Round a whole number down to a multiple of `step`."""
        return self.times(self.builder.sdiv(value, LONG(step)), step)

    def min(self, left: Number, right: Number) -> Value:
        """Return the lesser of two whole numbers."""
        left, right = self.number(left), self.number(right)
        return self.builder.select(self.builder.icmp_signed("<", left, right), left, right)

    def select_below(self, value: Number, limit: Number, otherwise: int) -> Value:
        """`value` where it is less than `limit`, else `otherwise`."""
        value, limit = self.number(value), self.number(limit)
        return self.builder.select(self.builder.icmp_signed("<", value, limit), value, LONG(otherwise))

    def max(self, left: Number, right: Number) -> Value:
        """Return the greater of two whole numbers."""
        left, right = self.number(left), self.number(right)
        return self.builder.select(self.builder.icmp_signed(">", left, right), left, right)

    # Control and memory.

    @contextlib.contextmanager
    def loop(self, start: Number, stop: Number, step: int = 1) -> Iterator[Value]:
        """Write a loop: code written within this context runs for every index from `start` to below `stop`."""
        builder = self.builder
        counter = self.variable(LONG)
        self.store(self.number(start), counter)
        head, body, after = (self._function.append_basic_block(name) for name in ("head", "body", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = self.load(counter)
        builder.cbranch(builder.icmp_signed("<", index, self.number(stop)), body, after)
        builder.position_at_end(body)
        yield index
        self.store(builder.add(index, LONG(step)), counter)
        builder.branch(head)
        builder.position_at_end(after)

    def variable(self, kind: Any = None) -> Array:
        """Make a variable, by default a vector; LLVM keeps it in a register if possible."""
        kind = kind or self.vector
        with self.builder.goto_entry_block():
            return Array(self.builder.alloca(kind), kind)

    def buffer(self, count: int) -> Array:
        """Make an array of `count` vectors."""
        with self.builder.goto_entry_block():
            made = self.builder.alloca(self.vector, size=count)
        made.align = _ALIGNMENT
        return Array(made, self.vector)

    def floats(self, count: int) -> Array:
        """Make an array of `count` floats, a multiple of the lanes."""
        return Array(self.buffer(count // self.lanes).address, FLOAT)

    def vectors_at(self, array: Array, index: Number) -> Array:
        """Return an array of vectors that starts `index` vectors after `array`."""
        return self.at(Array(array.address, self.vector), index)

    def halves_at(self, array: Array, index: Number) -> Array:
        """Return an array of float16 that starts `index` elements after `array`."""
        return self.at(Array(array.address, HALF), index)

    def at(self, array: Array, index: Number) -> Array:
        """Return the array without its first `index` elements."""
        address = self.builder.gep(array.address, [self.number(index)], source_etype=array.element)
        return Array(address, array.element)

    def load(self, array: Array, index: Number = 0) -> Value:
        """Read the element of an array at an index."""
        place = self.at(array, index).address
        return self.builder.load(place, align=self._alignment(array), typ=array.element)

    def store(self, value: Value, array: Array, index: Number = 0) -> None:
        """Write an element of an array at an index."""
        self.builder.store(value, self.at(array, index).address, align=self._alignment(array))

    def load_unaligned(self, array: Array, index: Number) -> Value:
        """Read a vector that starts at any float."""
        return self.builder.load(self.at(array, index).address, align=4, typ=self.vector)

    def store_unaligned(self, value: Value, array: Array, index: Number) -> None:
        """Write a vector that starts at any float."""
        self.builder.store(value, self.at(array, index).address, align=4)

    def load_half(self, array: Array, index: Number) -> Value:
        """Read a vector that starts at any float16, as floats."""
        halves = ir.VectorType(HALF, self.lanes)
        loaded = self.builder.load(self.at(array, index).address, align=2, typ=halves)
        return self.builder.fpext(loaded, self.vector)

    def stream(self, value: Value, array: Array, index: Number) -> None:
        """Write a vector without caching it, as floats or float16 like `array`; its address must be aligned."""
        halves = array.element == HALF
        if halves:
            value = self.builder.fptrunc(value, ir.VectorType(HALF, self.lanes))
        written = self.builder.store(value, self.at(array, index).address, align=(2 if halves else 4) * self.lanes)
        written.set_metadata("nontemporal", self._module.add_metadata([INT(1)]))
        self._streams = True

    def prefetch(self, array: Array, index: Number) -> None:
        """Prefetch a number into the caches; an invalid address has no effect."""
        declared = self._declared("llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [_ADDRESS, INT, INT, INT]))
        place = self.at(array, index).address
        self.builder.call(declared, [place, INT(0), INT(3), INT(1)])  # to read, to all caches, data

    def _alignment(self, array: Array) -> int | None:
        return 4 * self.lanes if array.element == self.vector else None

    # Vectors.

    def constant(self, value: float) -> Value:
        """Return a vector that holds the same number in each lane."""
        return ir.Constant(self.vector, [value] * self.lanes)

    def broadcast(self, value: Value) -> Value:
        """Return a constant vector with this number in every lane."""
        whole = value.type != FLOAT
        if whole:
            value = self.builder.trunc(value, INT)
        nothing = ir.Constant(self._whole if whole else self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, INT(0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(self._whole, [0] * self.lanes))

    def build_vector(self, values: Sequence[Value]) -> Value:
        """Make a vector from numbers, one for each lane."""
        whole = values[0].type != FLOAT
        made = ir.Constant(self._whole if whole else self.vector, ir.Undefined)
        for lane, value in enumerate(values):
            made = self.builder.insert_element(made, self.builder.trunc(value, INT) if whole else value, INT(lane))
        return made

    def extract(self, vector: Value, index: int) -> Value:
        """Return the number in one lane of a vector."""
        return self.builder.extract_element(vector, INT(index))

    def add(self, left: Value, right: Value) -> Value:
        """Add two vectors lane by lane."""
        return self.builder.fadd(left, right)

    def subtract(self, left: Value, right: Value) -> Value:
        """Subtract a vector from another lane by lane."""
        return self.builder.fsub(left, right)

    def multiply(self, left: Value, right: Value) -> Value:
        """Multiply two vectors lane by lane."""
        return self.builder.fmul(left, right)

    def divide(self, left: Value, right: Value) -> Value:
        """Divide a vector by another lane by lane."""
        return self.builder.fdiv(left, right)

    def fma(self, left: Value, right: Value, to: Value) -> Value:
        """Multiply two vectors and add a third, rounding once."""
        return self._intrinsic("fma", left, right, to)

    def total(self, vector: Value) -> Value:
        """Add the numbers in all lanes, in the order that is fastest."""
        kind = ir.FunctionType(FLOAT, [FLOAT, self.vector])
        declared = self._declared(f"llvm.vector.reduce.fadd.v{self.lanes}f32", kind)
        return self.builder.call(declared, [FLOAT(0.0), vector], fastmath=("reassoc",))

    # Pairs of bfloat16, the first in the lower half of a lane; only where the processor multiplies them.

    def truncate_to_bfloat16(self, value: Value) -> Value:
        """Truncate the numbers to bfloat16."""
        upper = ir.Constant(self._whole, [-1 << 16] * self.lanes)
        return self.builder.bitcast(self.builder.and_(self.builder.bitcast(value, self._whole), upper), self.vector)

    def round_to_bfloat16(self, value: Value) -> Value:
        """Round the numbers to bfloat16."""
        half = ir.Constant(self._whole, [1 << 15] * self.lanes)
        raised = self.builder.add(self.builder.bitcast(value, self._whole), half)
        return self.truncate_to_bfloat16(self.builder.bitcast(raised, self.vector))

    def pack_pairs(self, first: Value, second: Value) -> Value:
        """Pack two vectors of numbers that bfloat16 can represent to one vector of pairs."""
        low, high = (self.builder.bitcast(value, self._whole) for value in (first, second))
        low = self.builder.lshr(low, ir.Constant(self._whole, [16] * self.lanes))
        return self.builder.bitcast(self.builder.or_(low, high), self.vector)

    def dot_pairs(self, left: Value, right: Value, to: Value) -> Value:
        """Add both products of each lane's pairs to a float32."""
        pairs = ir.VectorType(_BFLOAT, 2 * self.lanes)
        kind = ir.FunctionType(self.vector, [self.vector, pairs, pairs])
        function = self._declared(f"llvm.x86.avx512bf16.dpbf16ps.{32 * self.lanes}", kind)
        return self.builder.call(function, [to, *(self.builder.bitcast(each, pairs) for each in (left, right))])

    def vector_max(self, left: Value, right: Value) -> Value:
        """Return the greater number of each lane; the right one if either is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", left, right), left, right)

    def select_within(self, offsets: Value, first: Value, last: Value, otherwise: float) -> Value:
        """Return 0 in the lanes whose integer is in `first` ... `last`, and `otherwise` in the others."""
        builder = self.builder
        low = builder.icmp_signed(">=", offsets, self.broadcast(first))
        high = builder.icmp_signed("<=", offsets, self.broadcast(last))
        return builder.select(builder.and_(low, high), self.constant(0.0), self.constant(otherwise))

    def offsets(self, number: Value, origins: Value) -> Value:
        """Return the difference of an integer from each lane's integer."""
        return self.builder.sub(self.broadcast(number), origins)

    def if_any_greater(self, left: Value, right: Value) -> Any:
        """A context: what is written inside runs if `left` exceeds `right` in any lane, which is rare."""
        above = self.builder.fcmp_ordered(">", left, right)
        bits = ir.IntType(self.lanes)
        some = self.builder.icmp_unsigned("!=", self.builder.bitcast(above, bits), bits(0))
        return self.builder.if_then(some, likely=False)

    def exp2(self, x: Value, degree: int = _EXP2_DEGREE) -> Value:
        """Compute 2^x in each lane for x up to 127, by a polynomial; below x = -126 it falls to 0."""
        if self.lanes == 16 and has("avx512dq"):  # it has instructions for 2^floor(x) and x - floor(x)
            power = self._polynomial(_exp2_polynomial(degree, 0.0), self._avx512("reduce", x, INT(1)))
            return self._avx512("scalef", power, x)
        builder = self.builder
        x = self.vector_max(x, self.constant(-127.0))
        nearest = self._intrinsic("nearbyint", x)
        power = self._polynomial(_exp2_polynomial(degree, -0.5), builder.fsub(x, nearest))
        exponent = builder.shl(builder.fptosi(nearest, self._whole), ir.Constant(self._whole, [23] * self.lanes))
        return builder.bitcast(builder.add(builder.bitcast(power, self._whole), exponent), self.vector)

    def _polynomial(self, coefficients: Sequence[float], x: Value) -> Value:
        *others, value = (self.constant(coefficient) for coefficient in coefficients)
        for coefficient in reversed(others):
            value = self.fma(value, x, coefficient)
        return value

    def _avx512(self, name: str, *arguments: Value) -> Value:
        """Call a CPU-specific LLVM intrinsic on all 16 lanes."""
        everywhere = [self.constant(0.0), ir.IntType(16)(-1), INT(4)]  # no lane is masked; rounds as usual
        arguments = (*arguments, *everywhere)
        kind = ir.FunctionType(self.vector, [argument.type for argument in arguments])
        return self.builder.call(self._declared(f"llvm.x86.avx512.mask.{name}.ps.512", kind), arguments)

    def _intrinsic(self, name: str, *arguments: Value) -> Value:
        kind = ir.FunctionType(self.vector, [self.vector] * len(arguments))
        return self.builder.call(self._declared(f"llvm.{name}.v{self.lanes}f32", kind), arguments)

    def _declared(self, name: str, kind: Any) -> Value:
        declared = self._module.globals.get(name)
        return ir.Function(self._module, kind, name) if declared is None else declared
