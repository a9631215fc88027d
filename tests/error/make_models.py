#!/usr/bin/env python3
"""Writes the broken ONNX files of the error cases, byte by byte (no onnx package needed).

    make_models.py        from anywhere; files go to the case folders beside this script
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
FLOAT = 1


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def integer(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def chunk(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, dims, values=None, external=None):
    """TensorProto: float values inside, or external_data entries."""
    out = b"".join(integer(1, d) for d in dims) + integer(2, FLOAT) + chunk(8, name)
    if values is not None:
        out += chunk(9, struct.pack(f"<{len(values)}f", *values))
    for key, value in (external or {}).items():
        out += chunk(13, chunk(1, key) + chunk(2, value))
    return out + (integer(14, 1) if external else b"")


def node(op, inputs, outputs, name):
    return b"".join(chunk(1, i) for i in inputs) + b"".join(chunk(2, o) for o in outputs) + chunk(3, name) + chunk(4, op)


def value_info(name, dims):
    shape = b"".join(chunk(1, integer(1, d)) for d in dims)
    return chunk(1, name) + chunk(2, chunk(1, integer(1, FLOAT) + chunk(2, shape)))


def model(nodes, weights=(), inputs=None, outputs=("y",), opset=13):
    graph = b"".join(chunk(1, n) for n in nodes) + chunk(2, "tiny") + b"".join(chunk(5, w) for w in weights)
    for name, dims in (inputs or {"x": [1, 3, 8, 8]}).items():
        graph += chunk(11, value_info(name, dims))
    for name in outputs:
        graph += chunk(12, value_info(name, [1, 4, 8, 8]))
    return integer(1, 7) + chunk(2, "cleave-tests") + chunk(7, graph) + chunk(8, chunk(1, "") + integer(2, opset))


CONV = node("Conv", ["x", "w"], ["c"], "conv")
RELU = node("Relu", ["c"], ["y"], "relu")
VALUES = [((7 * i) % 11 - 5) / 10 for i in range(12)]
WEIGHT = tensor("w", [4, 3, 1, 1], VALUES)


def external(location, **more):
    keys = {"location": location, **more}
    return model([CONV, RELU], [tensor("w", [4, 3, 1, 1], external=keys)])


def files():
    tiny = model([CONV, RELU], [WEIGHT])
    yield "fixtures/tiny.onnx", tiny
    yield "fixtures/other.onnx", model([CONV, RELU], [tensor("w", [4, 3, 1, 1], VALUES[::-1])])
    yield "not_onnx/model.onnx", b"This is a shopping list, not a network.\n"
    yield "truncated/model.onnx", tiny[: len(tiny) * 2 // 3]
    yield "empty/model.onnx", b""
    yield "claims_2gb/model.onnx", integer(1, 7) + varint(7 << 3 | 2) + varint((1 << 31) - 1) + b"\0" * 64
    yield "cyclic/model.onnx", model([node("Add", ["x", "b"], ["a"], "first"), node("Relu", ["a"], ["b"], "second"),
                                      node("Relu", ["b"], ["y"], "third")])
    yield "duplicate_tensor/model.onnx", model([CONV, node("Relu", ["x"], ["c"], "again"), RELU], [WEIGHT])
    yield "duplicate_node/model.onnx", model([node("Conv", ["x", "w"], ["c"], "same"),
                                              node("Relu", ["c"], ["y"], "same")], [WEIGHT])
    for case in ("unknown_op", "unknown_op_check"):
        yield case + "/model.onnx", model([CONV, node("Frobnicate", ["c"], ["y"], "frob")], [WEIGHT])
    yield "nan_weights/model.onnx", model([CONV, RELU], [tensor("w", [4, 3, 1, 1], [float("nan")] + VALUES[1:])])
    yield "dims_overflow/model.onnx", model([CONV, RELU], [tensor("w", [1 << 40, 1 << 40, 1, 1], VALUES)])
    yield "negative_dims/model.onnx", model([CONV, RELU], [tensor("w", [-4, 3, 1, 1], VALUES)])
    yield "short_weights/model.onnx", model([CONV, RELU], [tensor("w", [4, 3, 3, 3], VALUES)])
    yield "old_opset/model.onnx", model([CONV, node("Tile", ["c", "w", "w"], ["y"], "tile")], [WEIGHT], opset=5)
    yield "nothing_makes_it/model.onnx", model([node("Relu", ["ghost"], ["y"], "relu")])
    yield "external_missing/model.onnx", external("weights.bin")
    yield "external_escape/model.onnx", external("../fixtures/weights.bin")
    yield "external_absolute/model.onnx", external("/etc/hostname")
    yield "external_link/model.onnx", external("link.bin")
    yield "external_past_end/model.onnx", external("weights.bin", offset="16", length="48")
    yield "external_past_end/weights.bin", struct.pack("<12f", *VALUES)
    yield "external_wraps/model.onnx", external("weights.bin", offset="18446744073709551600", length="48")
    yield "external_wraps/weights.bin", struct.pack("<12f", *VALUES)
    yield "fixtures/weights.bin", struct.pack("<12f", *VALUES)


def main():
    for name, data in files():
        path = os.path.join(HERE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main()
