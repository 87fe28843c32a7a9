"""Slim nets of well-known repositories."""
from harness import np, tf
from builders import bn, net, recipe

from cases_fused import get_slim, image
from common import Net


@recipe('1', keep='moving')
def facenet(is_training):
    slim = get_slim()
    params = {'decay': 0.9, 'epsilon': 0.001, 'updates_collections': None,
              'variables_collections': [tf.GraphKeys.TRAINABLE_VARIABLES]}
    phase = tf.placeholder(tf.bool, name='phase_train')
    x = tf.identity(tf.placeholder(tf.float32, [None, 12, 12, 3], name='raw'), 'input')
    raw = x.op.inputs[0]

    def block(net, scale, scope):
        with tf.variable_scope(scope, 'Block35', [net]):
            a = slim.conv2d(net, 3, 1, scope='Conv2d_1x1')
            b = slim.conv2d(slim.conv2d(net, 3, 1, scope='Conv2d_0a_1x1'), 3, 3, scope='Conv2d_0b_3x3')
            up = slim.conv2d(tf.concat([a, b], 3), net.get_shape()[3], 1, normalizer_fn=None, activation_fn=None,
                             scope='Conv2d_1x1b')
            return tf.nn.relu(net + scale * up)
    with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_initializer=slim.initializers.xavier_initializer(),
                        weights_regularizer=slim.l2_regularizer(1e-4), normalizer_fn=slim.batch_norm,
                        normalizer_params=params):
        with slim.arg_scope([slim.batch_norm, slim.dropout], is_training=phase):
            net = slim.conv2d(x, 6, 3, stride=2, padding='VALID', scope='Conv2d_1a_3x3')
            net = slim.repeat(net, 2, block, 0.17, scope='Repeat')
            net = slim.avg_pool2d(net, net.get_shape()[1:3], padding='VALID', scope='AvgPool_1a')
            net = slim.dropout(slim.flatten(net), 0.8, is_training=phase, scope='Dropout')
            net = slim.fully_connected(net, 5, activation_fn=None, scope='Bottleneck', reuse=False)
    emb = tf.nn.l2_normalize(net, 1, 1e-10, name='embeddings')
    up = []
    if is_training:
        loss = tf.reduce_mean(emb[:, 0]) + tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
        losses = tf.train.ExponentialMovingAverage(0.9, name='avg')
        la = losses.apply([loss])
        step = tf.train.get_or_create_global_step()
        with tf.control_dependencies([la]):
            opt = tf.train.AdagradOptimizer(1e-3)
            grads = opt.compute_gradients(loss, tf.trainable_variables())
        apply = opt.apply_gradients([(g, v) for g, v in grads if g is not None], global_step=step)
        ema = tf.train.ExponentialMovingAverage(0.9, step)
        avg = ema.apply(tf.trainable_variables())
        with tf.control_dependencies([apply, avg]):
            up = tf.no_op(name='train')
    return Net({raw: (12, 12, 3)}, emb, updates=up, feed={phase: True}, golden_feed={phase: False})


@recipe('1', keep='moving')
def facenet_baked(is_training):
    slim = get_slim()
    x = image('input', (10, 10, 3))
    params = {'decay': 0.9, 'epsilon': 0.001, 'updates_collections': None, 'is_training': is_training, 'fused': False,
              'variables_collections': [tf.GraphKeys.TRAINABLE_VARIABLES]}
    y = slim.conv2d(x, 4, 3, normalizer_fn=slim.batch_norm, normalizer_params=params, scope='a')
    y = slim.fully_connected(slim.flatten(y), 4, activation_fn=None, normalizer_fn=slim.batch_norm,
                             normalizer_params=params, scope='b')
    emb = tf.nn.l2_normalize(y, 1, 1e-10, name='embeddings')
    up = []
    if is_training:
        step = tf.train.get_or_create_global_step()
        opt = tf.train.MomentumOptimizer(1e-4, .9)
        grads = opt.compute_gradients(tf.reduce_mean(emb[:, 0]), tf.trainable_variables())
        apply = opt.apply_gradients([(g, v) for g, v in grads if g is not None], step)
        ema = tf.train.ExponentialMovingAverage(0.9, step)
        with tf.control_dependencies([apply]):
            up = ema.apply(tf.trainable_variables())
    return Net({x: (10, 10, 3)}, emb, updates=up)


@recipe('1', steps=3)
def resnet_v2_slim(is_training):
    from tensorflow.contrib.slim.nets import resnet_v2, resnet_utils
    slim = get_slim()
    x = image('image', (32, 32, 3))
    with slim.arg_scope(resnet_utils.resnet_arg_scope(batch_norm_decay=0.8)):
        blocks = [resnet_v2.resnet_v2_block('block1', 4, 2, 2), resnet_v2.resnet_v2_block('block2', 6, 2, 1)]
        y, _ = resnet_v2.resnet_v2(x, blocks, 5, is_training=is_training, scope='resnet_v2_50')
    return Net({x: (32, 32, 3)}, tf.squeeze(y, [1, 2], name='probs'))


@recipe('1', steps=2, batch=3, golden_batch=2)
def inception_v3_slim(is_training):
    from tensorflow.contrib.slim.nets import inception
    slim = get_slim()
    x = image('image', (139, 139, 3))
    with slim.arg_scope(inception.inception_v3_arg_scope(batch_norm_var_collection='moving_vars')):
        with slim.arg_scope([slim.batch_norm], decay=0.8):
            y, ends = inception.inception_v3(x, 7, is_training=is_training, depth_multiplier=0.05, min_depth=3)
    return Net({x: (139, 139, 3)}, [y, ends['Mixed_5d']])


@recipe(steps=4)
def mobilenet_v1_slim(is_training):
    slim = get_slim()
    x = image('input', (16, 16, 3))
    bn = {'is_training': is_training, 'center': True, 'scale': True, 'decay': 0.8, 'epsilon': 0.001}
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=slim.batch_norm,
                        activation_fn=tf.nn.relu6, weights_regularizer=slim.l2_regularizer(4e-5)):
        with slim.arg_scope([slim.batch_norm], **bn):
            y = slim.conv2d(x, 4, [3, 3], stride=2, scope='Conv2d_0')
            for i, (c, s) in enumerate([(6, 1), (8, 2), (8, 1)]):
                y = slim.separable_conv2d(y, None, [3, 3], depth_multiplier=1, stride=s, scope='Conv2d_%d_depthwise' % i)
                y = slim.conv2d(y, c, [1, 1], scope='Conv2d_%d_pointwise' % i)
            y = tf.reduce_mean(y, [1, 2], keepdims=True, name='global_pool')
            y = slim.dropout(y, 0.9, is_training=is_training, scope='Dropout_1b')
            y = slim.conv2d(y, 5, [1, 1], activation_fn=None, normalizer_fn=None, scope='Conv2d_1c_1x1')
    y = tf.nn.softmax(tf.squeeze(y, [1, 2]), name='Predictions')
    return Net({x: (16, 16, 3)}, y)


@recipe('1')
def deeplab_finetune(is_training):
    """Backbone BN frozen, head BN in training."""
    slim = get_slim()
    x = image('image', (12, 12, 3))

    def bn(train, **k):
        return dict(normalizer_fn=slim.batch_norm, normalizer_params=dict(is_training=train, decay=.8, **k))
    y = slim.conv2d(x, 4, 3, scope='backbone/conv1', **bn(False, scale=True))
    y = slim.conv2d(y, 4, 3, scope='backbone/conv2', rate=2, **bn(False, scale=True))
    a = slim.conv2d(y, 3, 1, scope='aspp0', **bn(is_training))
    b = slim.conv2d(y, 3, 3, rate=2, scope='aspp1', **bn(is_training))
    pool = tf.reduce_mean(y, [1, 2], keepdims=True)
    c = tf.image.resize_bilinear(slim.conv2d(pool, 3, 1, scope='image_pooling', **bn(is_training)), tf.shape(y)[1:3],
                                 align_corners=True)
    y = slim.dropout(slim.conv2d(tf.concat([a, b, c], 3), 4, 1, scope='concat_projection', **bn(is_training)),
                     keep_prob=0.9, is_training=is_training)
    y = slim.conv2d(y, 2, 1, activation_fn=None, scope='logits')
    y = tf.argmax(tf.image.resize_bilinear(y, [12, 12]), 3, name='SemanticPredictions')

    def after(sess):
        for v in tf.global_variables():
            if 'backbone' in v.op.name and 'moving_mean' in v.op.name:
                v.load(np.linspace(-.4, .6, 4).astype('f'), sess)
            if 'backbone' in v.op.name and 'moving_variance' in v.op.name:
                v.load(np.linspace(.4, 1.6, 4).astype('f'), sess)
    logits = y.op.inputs[0]
    return Net({x: (12, 12, 3)}, [logits], after_init=after)
