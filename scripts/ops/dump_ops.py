"""Writes src/ops/op_table.ts: inputs, outputs and default attrs of every op that the given TensorFlows know.

usage: python dump_ops.py OPS.bin        (once under each TensorFlow: writes its serialised OpList, prints its producer version)
       python dump_ops.py --table OUT.ts PRODUCER=OPS.bin [PRODUCER=OPS.bin ...]   (oldest first; later files win)
"""
import re
import struct
import sys
from urllib.parse import quote


def op_list_bytes():
    try:
        from tensorflow.python import pywrap_tensorflow as c_api

        return c_api.TF_GetBuffer(c_api.TF_GetAllOpList())
    except (ImportError, AttributeError):
        from tensorflow.python.client import pywrap_tf_session as c_api

        return c_api.TF_GetBuffer(c_api.TF_GetAllOpList())


def inputs_text(op):
    """The number of inputs: `<2`, `<1+N`, `<[Tin]`."""
    fixed, attrs = 0, []
    for arg in op.input_arg:
        if arg.number_attr:
            attrs.append(arg.number_attr)
        elif arg.type_list_attr:
            attrs.append("[%s]" % arg.type_list_attr)
        else:
            fixed += 1
    return "<" + "+".join((["%d" % fixed] if fixed or not attrs else []) + attrs)


def output_text(arg):
    if arg.type_list_attr:
        kind = "[%s]" % arg.type_list_attr
    elif arg.type_attr:
        kind = arg.type_attr
    else:
        kind = "%d" % arg.type
    if arg.number_attr:
        kind = "%s*%s" % (arg.number_attr, kind)
    return "%s:%s%s" % (arg.name, kind, "&" if arg.is_ref else "")


def default_text(value):
    """A default attr, short enough for a table: see src/ops/default_attrs.ts. None for kinds that no op needs."""
    kind = value.WhichOneof("value")
    if kind == "type":
        return "%d" % value.type
    if kind == "b":
        return "b1" if value.b else "b0"
    if kind == "i":
        return "i%d" % value.i
    if kind == "f":
        return "f" + shortest(value.f)
    if kind == "s":
        return "s" + quote(value.s, safe="")
    if kind == "shape":
        return "?" if value.shape.unknown_rank else "(%s)" % ",".join("%d" % dim.size for dim in value.shape.dim)
    if kind == "list":
        filled = [field.name for field, _ in value.list.ListFields()]
        if not filled:
            return "[]"
        if filled == ["i"]:
            return "[i%s]" % ",".join("%d" % i for i in value.list.i)
        if filled == ["type"]:
            return "[t%s]" % ",".join("%d" % i for i in value.list.type)
    return None


def shortest(x):
    """The fewest digits that are the same float32."""
    texts = ("%.*g" % (digits, x) for digits in range(1, 10))
    return next(text for text in texts if struct.pack("f", float(text)) == struct.pack("f", x))


# Ops of optimizers, input pipelines, TPUs and of the runtime itself: only their types matter.
NOT_FROZEN = re.compile(
    "^_|Dataset|TPU|Apply|BoostedTrees|Summary|Grad|Collective|Barrier|Accumulator|Iterator|Reader|Queue|Stag|Quantized|Cudnn|Experimental"
    "|Debug|Optional|Generator|Candidate"
)
# Where a resource is: other programs have none.
NO_DEFAULTS = ("container", "shared_name", "use_locking")


class Attrs:
    """The default attrs of one op over the versions of TensorFlow."""

    def __init__(self, producer):
        self.producer = producer
        self.since = {}
        self.values = {}

    def note(self, producer, op):
        for attr in op.attr:
            self.since.setdefault(attr.name, producer)
            text = default_text(attr.default_value) if attr.HasField("default_value") else None
            self.values.setdefault(attr.name, set()).add(text)

    def words(self, op):
        """Those of the newest version that all versions agree on; `@` and the producer that added it, if it came after the op."""
        for attr in op.attr:
            texts = self.values[attr.name]
            if attr.type != "type" and (NOT_FROZEN.search(op.name) or attr.name in NO_DEFAULTS):
                continue
            if len(texts) == 1 and None not in texts:
                since = self.since[attr.name]
                yield "%s=%s%s" % (attr.name, texts.copy().pop(), "@%d" % since if since > max(self.producer, OLDEST) else "")


# TensorFlow 1.13: what it knows is not newer than any graph.
OLDEST = 27


def table(files):
    from tensorflow.core.framework import op_def_pb2

    ops = {}
    attrs = {}
    inputs = {}
    for each in files:
        producer, path = each.split("=", 1)
        op_list = op_def_pb2.OpList()
        with open(path, "rb") as source:
            op_list.ParseFromString(source.read())
        for op in op_list.op:
            ops[op.name] = op
            inputs.setdefault(op.name, set()).add(inputs_text(op))
            attrs.setdefault(op.name, Attrs(int(producer))).note(int(producer), op)
    lines = []
    for name in sorted(ops):
        op = ops[name]
        words = [name + ("!" if op.is_stateful else "")]
        # A few experimental ops changed it.
        words += inputs[name] if len(inputs[name]) == 1 else []
        words += [output_text(arg) for arg in op.output_arg]
        words += attrs[name].words(op)
        lines.append(" ".join(words))
    return lines


def main(args):
    if args[0] == "--table":
        with open(args[1], "w") as out:
            out.write("// Generated by scripts/ops/dump_ops.py out of TensorFlow's own op registry. Do not edit.\n")
            out.write("/**\n * op[! if stateful] <inputs output:type ... attr=default[@producer that added it]; inputs is how many: a number, an attr with a\n * number, [list(type)], or a sum of these; type is an attr, a DataType number, N*type or [list(type)]; a default is read by\n * default_attrs.ts.\n */\n")
            out.write("export const OP_TABLE = `\n%s\n`;\n" % "\n".join(table(args[2:])))
    else:
        with open(args[0], "wb") as out:
            out.write(op_list_bytes())
        import tensorflow as tf

        print(tf.version.GRAPH_DEF_VERSION)


main(sys.argv[1:])
