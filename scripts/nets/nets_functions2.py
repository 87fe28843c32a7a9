"""Models of TF 2: SavedModels of Keras in training mode, and functions that convert_variables_to_constants_v2 froze with the flag in them.

These are made eagerly, each in its own way: `raw` situations return what bnfix is given and what is right.
"""
import os

from harness import common, np, tf

from common import TF2, _tf, rng_for
from situations import Trained, raw

if TF2:
    from tensorflow.python.framework import convert_to_constants
    K = _tf.keras
    L = K.layers


def seeded(model, name):
    rng = rng_for(name)
    for layer in model.submodules if hasattr(model, 'submodules') else model.layers:
        if not isinstance(layer, L.Layer) or not layer.weights or isinstance(layer, K.Model):
            continue
        is_bn = isinstance(layer, (L.BatchNormalization,))
        if is_bn:
            values = []
            for v in layer.weights:
                low, high = (.5, 1.5) if 'gamma' in v.name else (.5, 2.) if 'variance' in v.name else (-1., 1.)
                values.append(rng.uniform(low, high, v.shape))
            layer.set_weights(values)
    return model


def plain(fused=True, batch=None, dropout=.3):
    x = L.Input(batch_shape=(batch, 8, 8, 3), name='image')
    k = {} if fused is None else {'fused': fused}
    y = L.BatchNormalization(name='bn', **k)(L.Conv2D(4, 3, name='conv')(x))
    y = L.Dropout(dropout)(L.ReLU()(y))
    y = L.BatchNormalization(name='bn2')(L.Dense(5, name='d')(L.Flatten()(y)))
    return K.Model(x, L.Dense(3, activation='softmax', name='p')(y))


def mobile():
    x = L.Input((8, 8, 3), name='image')
    y = L.ReLU(6.)(L.BatchNormalization(momentum=.9, scale=False)(L.Conv2D(4, 3, padding='same', use_bias=False)(x)))
    z = L.ReLU(6.)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding='same', use_bias=False)(y)))
    z = L.BatchNormalization()(L.Conv2D(4, 1, use_bias=False)(z))
    y = L.Add()([y, z])
    return K.Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(y)))


def nested():
    inner = K.Sequential([L.Input((8, 8, 3)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()], name='inner')
    x = L.Input((8, 8, 3), name='image')
    y = L.LSTM(4)(L.Reshape((36, 4))(inner(x)))
    return K.Model(x, L.Dense(3)(L.BatchNormalization()(y)))


def signature(model, batch=None, training=None):
    spec = _tf.TensorSpec([batch, 8, 8, 3], _tf.float32, 'image')
    if training is None:
        return _tf.function(lambda image, training: model(image, training=training)).get_concrete_function(
            spec, _tf.TensorSpec([], _tf.bool, 'training'))
    return _tf.function(lambda image: model(image, training=training)).get_concrete_function(spec)


def frozen_v2(call, lower, inline=False):
    """What convert_variables_to_constants_v2 makes, before it imports the result (which fails where updates assign to constants)."""
    data = convert_to_constants._FunctionConverterDataInEager(func=call, lower_control_flow=lower, aggressive_inlining=inline)
    return convert_to_constants._replace_variables_by_constants(data)[0]


def of_graph(out, graph_def, call, model, batch=None, keep_batch=False):
    path = os.path.join(out, 'frozen.pb')
    with open(path, 'wb') as f:
        f.write(graph_def.SerializeToString())
    x = rng_for('x').normal(size=(batch or 3, 8, 8, 3)).astype(np.float32)
    golden = model(x, training=False).numpy()
    return Trained({'frozen_v2': [path]}, [call.outputs[0].name], ['image:0'], [x], [golden], common.relative_difference(
        golden, model(x, training=True).numpy()), [])


MODELS = {'plain': lambda: plain(), 'unfused': lambda: plain(False), 'one': lambda: plain(batch=1), 'one_unfused': lambda: plain(False, 1),
          'mobile': mobile, 'nested': nested}
for _name, _make in MODELS.items():
    for _lower in (False, True):
        def _flag(out, _make=_make, _lower=_lower, _name=_name):
            model = seeded(_make(), _name)
            batch = 1 if 'one' in _name else None
            call = signature(model, batch)
            return of_graph(out, frozen_v2(call, _lower, _lower), call, model, batch)
        _flag.__name__ = 'v2_flag_%s%s' % (_name, '_lowered' if _lower else '')
        raw('functions2', ('212',))(_flag)

        def _train(out, _make=_make, _lower=_lower, _name=_name):
            model = seeded(_make(), _name)
            batch = 1 if 'one' in _name else None
            call = signature(model, batch, True)
            return of_graph(out, frozen_v2(call, _lower, _lower), call, model, batch)
        _train.__name__ = 'v2_training_%s%s' % (_name, '_lowered' if _lower else '')
        # An unfused batch norm in training mode may have lost its statistics with the updates.
        raw('functions2', ('212',), expect='either' if 'fused' in _name or _name in ('plain', 'one', 'nested') else 'ok')(_train)

    def _saved(out, _make=_make, _name=_name):
        model = seeded(_make(), _name)
        batch = 1 if 'one' in _name else None
        folder = os.path.join(out, 'saved')
        serve = _tf.function(lambda image: {'out': model(image, training=True)}, input_signature=[_tf.TensorSpec([batch, 8, 8, 3], _tf.float32, 'image')])
        _tf.saved_model.save(model, folder, signatures={'serving_default': serve.get_concrete_function()})
        x = rng_for('x').normal(size=(batch or 3, 8, 8, 3)).astype(np.float32)
        return Trained({'saved_model': [folder]}, None, ['serving_default_image:0'], [x], [model(x, training=False).numpy()], 1., [])
    _saved.__name__ = 'v2_saved_training_' + _name
    raw('functions2', ('212',))(_saved)

    def _default(out, _make=_make, _name=_name):
        """model.save: the flag was inlined as False; nothing is to be repaired."""
        model = seeded(_make(), _name)
        folder = os.path.join(out, 'saved')
        model.save(folder)
        x = rng_for('x').normal(size=(1 if 'one' in _name else 3, 8, 8, 3)).astype(np.float32)
        return Trained({'saved_model': [folder]}, None, ['serving_default_image:0'], [x], [model(x, training=False).numpy()], 0., [])
    _default.__name__ = 'v2_saved_' + _name
    raw('functions2', ('212',))(_default)
