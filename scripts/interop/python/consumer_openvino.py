"""OpenVINO on a CPU, in float32: its default of another precision differs by 6e-3."""
import openvino

CORE = openvino.Core()
CONFIG = {'INFERENCE_PRECISION_HINT': 'f32', 'INFERENCE_NUM_THREADS': 1, 'PERFORMANCE_HINT': 'LATENCY'}


def load(path, feeds, fetches):
    model = openvino.convert_model(path, input=[(name, list(value.shape)) for name, value in feeds.items()], output=fetches)
    compiled = CORE.compile_model(model, 'CPU', CONFIG)
    request = compiled.create_infer_request()
    # The outputs are in the order that was asked for.
    feed = {i: value for i, value in enumerate(feeds.values())}
    ops = [op for op in compiled.get_runtime_model().get_ops() if op.get_rt_info()['layerType'] not in ('Input', 'Output', 'Const')]

    def call():
        request.infer(feed)
        return [request.get_output_tensor(i).data.copy() for i in range(len(fetches))]
    return call, {'ops': len(ops)}
