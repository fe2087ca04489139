"""Counts the floating-point operations of a TensorFlow function from its graph."""

import math

import tensorflow as tf

CONVOLUTIONS = {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"}
PRODUCTS = {"MatMul", "BatchMatMulV2"}
UNCOUNTED = {"Einsum", "Conv3D", "DepthwiseConv2dNative", "XlaConvV2", "XlaDotV2", "_FusedConv2D"}


def flop(function, *args):
    """Returns the operations of one call: two for each multiplication in a convolution or matrix product.

    Operations count only if an output or a change of state depends on them; TensorFlow prunes the others.
    Multiplications by padding count. Elementwise operations do not.
    """
    return graph_flop(tf.function(function).get_concrete_function(*args).graph)


def graph_flop(graph):
    total = 0
    for op in needed(graph):
        if op.type in UNCOUNTED:
            raise NotImplementedError(f"cannot count the operations of {op.type}")
        if op.type in CONVOLUTIONS:
            total += convolution(op)
        elif op.type in PRODUCTS:
            total += product(op)
        elif op.type in ("PartitionedCall", "StatefulPartitionedCall"):
            total += graph_flop(graph._get_function(op.get_attr("f").name).graph)
    return total


def needed(graph):
    """Returns the operations that outputs or stateful operations of a graph depend on."""
    waiting = [output.op for output in graph.outputs] + [op for op in graph.get_operations() if op.op_def.is_stateful]
    seen = set()
    while waiting:
        op = waiting.pop()
        if op not in seen:
            seen.add(op)
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return seen


def convolution(op):
    """Returns 2 x elements of the output map x elements of the kernel for one output channel."""
    if op.type == "Conv2D":
        kernel, outputs = op.inputs[1], op.outputs[0]
    elif op.type == "Conv2DBackpropInput":
        kernel, outputs = op.inputs[1], op.inputs[2]
    else:
        kernel, outputs = op.outputs[0], op.inputs[2]
    return 2 * size(outputs.shape) * size(kernel.shape[:3])


def product(op):
    transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
    inner = op.inputs[0].shape[-2 if transposed else -1]
    return 2 * size(op.outputs[0].shape) * inner


def size(shape):
    return math.prod(shape.as_list())
