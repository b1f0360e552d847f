"""Neighbourhood attention and its gradient (Eq. 7-8), written as LLVM's intermediate language.

Each lane of the vectors holds one pixel of a small block. A loop goes over all pixels of the block's common window (the
"passing" pixels) and multiplies their numbers into every lane. So nothing is copied, the weights of one row of the
window stay in the first cache, and each number that is loaded is used in `vectors` x `lanes` products.

    forward         lanes: queries, passing: keys      out = softmax(q k) v, and `top` and `total` of each query
    query_gradient  lanes: queries, passing: keys      d_q
    key_gradient    lanes: keys, passing: queries      d_k, d_v

Scores are logarithms to base 2. A query's softmax is 2^(score - top) / total. `top` is only raised when the greatest
score exceeds it by more than 12 (a factor of 2^12), which is rare; in exact arithmetic, this does not change the result
(as in FlashAttention-4).
"""

import math

from llvmlite import ir

from nerd_gui.compiled.attention_lanes import Block, blocks
from nerd_gui.compiled.attention_shape import MASKED, Shape
from nerd_gui.compiled.vector_code import Number, Value, VectorCode

_START = -1e30  # initial value of `top`
_MAY_EXCEED = 12.0  # by which a score may exceed `top`, as a power of 2


def forward(shape: Shape) -> str:
    """Return the code of `forward(scratch, q, k, v, out, top, total, rows, cols, row, first, last, row_vectors)`.

    It computes the queries in BLOCK_ROWS rows, starting at `row`, of one plane (one head of one picture). Arrays are
    (rows, cols, depth), and reading `passing` pixels beyond their ends must be allowed. With `shape.pairs`, k and v are
    pairs of bfloat16.
    """
    module = ir.Module()
    code = VectorCode(module, "forward", 7, 6, shape.lanes)
    _, query, key, value, out, top_out, total_out, *numbers = code.arguments
    scale = math.log2(math.e) / math.sqrt(shape.d_k)

    def block(work: Block) -> None:
        queries = work.read_pairs(query, shape.d_k, scale)
        sums = work.zeros(shape.d_v)
        tops, totals = work.variables(_START), work.variables(0.0)
        highest = work.variables(MASKED)
        for bias in work.neighbourhood():
            for variable in highest:
                code.store(code.constant(MASKED), variable)

            def scored(at: Number, scores: list[list[Value]]) -> None:
                work.keep(at, scores, work.weights)
                for vector, variable in enumerate(highest):
                    most = code.load(variable)
                    for passing in scores:
                        most = code.vector_max(most, passing[vector])
                    code.store(most, variable)

            work.products(queries, key, shape.d_k, scored, bias)
            for vector in range(shape.vectors):
                old, seen = code.load(tops[vector]), code.load(highest[vector])
                with code.if_any_greater(seen, code.add(old, code.constant(_MAY_EXCEED))):
                    new = code.vector_max(old, seen)
                    factor = code.exp2(code.subtract(old, new))
                    code.store(new, tops[vector])
                    code.store(code.multiply(code.load(totals[vector]), factor), totals[vector])
                    with code.loop(0, shape.d_v) as number:
                        at = work.place(number, vector)
                        code.store(code.multiply(code.load(sums, at), factor), sums, at)
            work.exponentiate([code.load(variable) for variable in tops], totals)
            work.accumulate(work.weights, value, shape.d_v, sums)
        final = [code.load(variable) for variable in totals]
        work.write(out, shape.d_v, sums, [code.divide(code.constant(1.0), total) for total in final])
        work.write_each(top_out, [code.load(variable) for variable in tops])
        work.write_each(total_out, final)

    blocks(code, shape, numbers, block)
    return str(module)


def query_gradient(shape: Shape) -> str:
    """Return the code of `query_gradient(scratch, q, k, v, d_out, level, delta, d_q, …)`.

    `level` is top + log2(total), and `delta` the inner product of d_out and out; both have one number for each query.
    """
    module = ir.Module()
    code = VectorCode(module, "query_gradient", 8, 6, shape.lanes)
    _, query, key, value, d_out, level, delta, d_query, *numbers = code.arguments
    scale = 1 / math.sqrt(shape.d_k)

    def block(work: Block) -> None:
        queries = work.read(query, shape.d_k, scale * math.log2(math.e))
        d_outs = work.read(d_out, shape.d_v, 1.0)
        levels, deltas = work.read_each(level), work.read_each(delta)
        sums = work.zeros(shape.d_k)
        for bias in work.neighbourhood():

            def scored(at: Number, scores: list[list[Value]]) -> None:
                weights = [
                    [code.exp2(code.subtract(score, level)) for score, level in zip(each, levels, strict=True)]
                    for each in scores
                ]
                work.keep(at, weights, work.weights)

            def graded(at: Number, d_weights: list[list[Value]]) -> None:
                for index, each in enumerate(d_weights):
                    for vector, d_weight in enumerate(each):
                        place = work.place(code.plus(at, index), vector)
                        d_score = code.multiply(code.load(work.weights, place), code.subtract(d_weight, deltas[vector]))
                        code.store(d_score, work.weights, place)

            work.products(queries, key, shape.d_k, scored, bias)
            work.products(d_outs, value, shape.d_v, graded)
            work.accumulate(work.weights, key, shape.d_k, sums)
        work.write(d_query, shape.d_k, sums, [code.constant(scale)] * shape.vectors)

    blocks(code, shape, numbers, block)
    return str(module)


def key_gradient(shape: Shape) -> str:
    """Return the code of `key_gradient(scratch, q, k, v, d_out, level, delta, d_k, d_v, …)`.

    It computes a block of keys. The queries that see a key lie at offsets from -last to -first; the caller passes these
    two bounds.
    """
    module = ir.Module()
    code = VectorCode(module, "key_gradient", 9, 6, shape.lanes)
    _, query, key, value, d_out, level, delta, d_key, d_value, *numbers = code.arguments
    scale = 1 / math.sqrt(shape.d_k)

    def block(work: Block) -> None:
        keys = work.read(key, shape.d_k, scale * math.log2(math.e))
        values = work.read(value, shape.d_v, 1.0)
        key_sums, value_sums = work.zeros(shape.d_k), work.zeros(shape.d_v)
        for bias in work.neighbourhood():

            def scored(at: Number, scores: list[list[Value]]) -> None:
                for index, each in enumerate(scores):
                    one = code.broadcast(work.of_passing(level, code.plus(at, index)))
                    weights = [code.exp2(code.subtract(score, one)) for score in each]
                    work.keep(code.plus(at, index), [weights], work.weights)

            def graded(at: Number, d_weights: list[list[Value]]) -> None:
                for index, each in enumerate(d_weights):
                    one = code.broadcast(work.of_passing(delta, code.plus(at, index)))
                    for vector, d_weight in enumerate(each):
                        place = work.place(code.plus(at, index), vector)
                        d_score = code.multiply(code.load(work.weights, place), code.subtract(d_weight, one))
                        code.store(d_score, work.gradients, place)

            work.products(keys, query, shape.d_k, scored, bias)
            work.products(values, d_out, shape.d_v, graded)
            work.accumulate(work.gradients, query, shape.d_k, key_sums)
            work.accumulate(work.weights, d_out, shape.d_v, value_sums)
        work.write(d_key, shape.d_k, key_sums, [code.constant(scale)] * shape.vectors)
        work.write(d_value, shape.d_v, value_sums, [code.constant(1.0)] * shape.vectors)

    blocks(code, shape, numbers, block)
    return str(module)
