"""The same model and optimizer, computed faster: all that is done for speed alone is in this file.

The same, that is, but for rounding where `bfloat16` allows it, and for dropout, whose rate becomes
a multiple of 1/256.

The layers in bert_course/model are written to be read. `speed_up` gives some of them, in one model,
another class that computes the same in another way; variables, their names and checkpoints stay as
they are. What each way gains is in benchmarks/RESULTS.md; that it computes the same, in
tests/training/test_speed.py. TensorFlow is imported only where it is used.
"""

import keras
from keras import ops

from bert_course.model.attention import SelfAttention
from bert_course.model.encoder import EncoderBlock
from bert_course.model.heads import MaskedWordHead, pick_positions
from bert_course.model.parts import gelu
from bert_course.training.hardware import gpu_in_use
from bert_course.training.optimization import AdamW, Muon

PARTS = 256  # a byte tells so many dropout rates apart


def speed_up(model, config, bfloat16=False):
    """Exchange how the layers of a built model compute, before `compile`; the model is returned.

    TensorFlow on a CPU: layers that compute in float32. JAX on a GPU: attention without dropout.
    Elsewhere nothing is changed.

    Args:
        config: the model's, for its activation.
        bfloat16: whether matrix products may be rounded to 8 bits (see `rounded_product`), which
            changes numbers; where the processor has instructions for it, it takes less time.
    """
    gpu = gpu_in_use()
    if gpu and keras.backend.backend() == "jax":
        return fuse_attention(model)
    if gpu or keras.backend.backend() != "tensorflow":
        return model
    activation = compiled(gelu(config))
    for layer in model._flatten_layers():
        if layer.compute_dtype != "float32":
            continue
        if isinstance(layer, EncoderBlock):
            layer.expand.activation = activation
        elif isinstance(layer, MaskedWordHead):
            layer.transform.activation = activation
        exchange(layer, bfloat16)
    return model


def exchange(layer, bfloat16):
    """One layer's class for the one here that computes the same, if there is one."""
    if type(layer) is keras.layers.Dropout and 0 < kept_parts(layer.rate) < PARTS:
        layer.__class__ = ByteDropout
    elif bfloat16 and type(layer) is keras.layers.Dense:
        layer.__class__ = RoundedDense
    elif bfloat16 and type(layer) is MaskedWordHead:
        layer.__class__ = RoundedMaskedWordHead
    elif bfloat16 and type(layer) is keras.layers.LayerNormalization:
        layer.__class__ = ProductLayerNorm


def speed_up_optimizer(optimizer, bfloat16=False):
    """The same for an `AdamW` or `Muon` of ours; others stay as they are. It is returned."""
    if keras.backend.backend() == "tensorflow" and not gpu_in_use():
        fused = {AdamW: FusedAdamW, Muon: RoundedMuon if bfloat16 else FusedMuon}
        optimizer.__class__ = fused.get(type(optimizer), type(optimizer))
    return optimizer


def rounded_product(left, right):
    """AB, the factors rounded to bfloat16 (8 bits instead of 24), and the product again.

    Each sum is held in float32 while it is added up. The same holds for both gradients. TensorFlow
    has no product on a CPU that takes bfloat16 and returns float32.
    """
    left, right = ops.cast(left, "bfloat16"), ops.cast(right, "bfloat16")
    return ops.cast(ops.matmul(left, right), "float32")


class RoundedDense(keras.layers.Dense):
    """y = xW + b, with `rounded_product`."""

    def call(self, inputs, training=None):
        # Not "+": the gradient of Keras's sum with a bias is found in one operation.
        outputs = ops.add(rounded_product(inputs, self.kernel), self.bias)
        return outputs if self.activation is None else self.activation(outputs)


class RoundedMaskedWordHead(MaskedWordHead):
    """logits = LayerNorm(gelu(Wx + b)) Eᵀ + b′, with `rounded_product`."""

    def call(self, sequence_output, masked_positions):
        masked = pick_positions(sequence_output, masked_positions)  # (B, P, H)
        masked = self.norm(self.transform(masked))
        return rounded_product(masked, ops.transpose(self.token_table.embeddings)) + self.bias


class ProductLayerNorm(keras.layers.LayerNormalization):
    """γ · (x - mean) / √(variance + ε) + β, each mean a product with a vector of 1/H.

    Nothing is rounded, but sums are added up in another order. So it is exchanged only where other
    things are rounded, and what is computed in float32 stays as it was, to the last digit.
    """

    def call(self, inputs):
        return layer_norm(inputs, self.gamma, self.beta, self.epsilon)


def layer_norm(inputs, gamma, beta, epsilon):
    """(..., H) -> (..., H). TensorFlow's own means take several passes over memory."""
    import tensorflow as tf

    width = inputs.shape[-1]
    mean_of = tf.fill([width, 1], 1 / width)

    @tf.custom_gradient
    def normalize(inputs, gamma, beta):
        shape = tf.shape(inputs)
        rows = tf.reshape(inputs, [-1, width])  # (N, H)
        centred = rows - rows @ mean_of
        scale = tf.math.rsqrt(centred**2 @ mean_of + epsilon)  # (N, 1)
        normal = centred * scale

        def gradient(upstream):
            upstream = tf.reshape(upstream, [-1, width])  # (N, H)
            sum_of = tf.ones([1, tf.shape(upstream)[0]])
            along = upstream * normal
            gammas = mean_of * gamma[:, None]  # (H, 1)
            inner = upstream * gamma - upstream @ gammas - normal * (along @ gammas)
            return tf.reshape(scale * inner, shape), (sum_of @ along)[0], (sum_of @ upstream)[0]

        return tf.reshape(gamma * normal + beta, shape), gradient

    return normalize(inputs, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta))


def kept_parts(rate):
    """How many of 256 values of a byte mean "keep"."""
    return round(PARTS * (1 - rate))


class ByteDropout(keras.layers.Dropout):
    """x · 256/k with probability k/256, otherwise 0: one random number decides for four values.

    A rate of 0.1 becomes 26/256 = 0.1016; what is kept is scaled by just that, so that the mean is
    exact. The numbers come from the layer's own seed, whose state is a variable of the model.
    """

    def call(self, inputs, training=False):
        if not training:
            return inputs
        import tensorflow as tf

        seed = tf.cast(tf.math.floormod(self.seed_generator.next(), tf.int32.max), "int32")
        count = tf.size(inputs)
        draws = tf.random.stateless_uniform(
            [(count + 3) // 4], seed, minval=None, maxval=None, dtype="uint32"
        )
        bytes_ = tf.reshape(tf.bitcast(draws, "uint8"), [-1])[:count]
        kept = kept_parts(self.rate)
        keep = tf.reshape(bytes_ < tf.constant(kept, "uint8"), tf.shape(inputs))
        return tf.where(keep, inputs * (PARTS / kept), 0.0)


def compiled(activation):
    """The same function of each number, by XLA: one pass over memory, and one for its gradient.

    Of the forward pass only the input is kept. XLA for the whole step would be slower on a CPU.
    """
    import tensorflow as tf

    forward = tf.function(activation, jit_compile=True, autograph=False)

    @tf.function(jit_compile=True, autograph=False)
    def backward(inputs, upstream):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = activation(inputs)
        return tape.gradient(outputs, inputs, upstream)

    @tf.custom_gradient
    def both(inputs):
        return forward(inputs), lambda upstream: backward(inputs, upstream)

    return both


class _PowersOnce:
    """β₁ᵗ and β₂ᵗ once a step and not once a variable: a tenth of what a step has to compile."""

    def apply(self, grads, trainable_variables=None):
        step = ops.cast(self.iterations + 1, "float32")
        self.powers = tuple(beta**step for beta in self.betas())
        return super().apply(grads, trainable_variables)


class FusedAdamW(_PowersOnce, AdamW):
    """m, v and θ of a variable in one operation instead of fourteen, with the same formula."""

    def betas(self):
        return self.beta_1, self.beta_2

    def update_step(self, gradient, variable, learning_rate):
        place = self._get_variable_index(variable)
        moments = self._momentums[place], self._velocities[place]
        apply_adam(self, gradient, variable, learning_rate, *moments)


class FusedMuon(_PowersOnce, Muon):
    """The same for what in Muon is AdamW's."""

    def betas(self):
        return self.adam_beta_1, self.adam_beta_2

    def _adamw_update_step(self, gradient, variable, learning_rate, m, v):
        apply_adam(self, gradient, variable, learning_rate, m, v)


class RoundedMuon(FusedMuon):
    """And the products of its Newton-Schulz iteration with `rounded_product`.

    The iteration itself brings most singular values to between 0.7 and 1.2 only, so that a rounding
    by half a percent matters little; the authors of Muon compute it in bfloat16 throughout.
    """

    def zeropower_via_newtonschulz5(self, x, steps):
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = x / (ops.norm(x) + 1e-7)
        for _ in range(steps):
            square = rounded_product(x, ops.transpose(x))
            fourth = rounded_product(square, square)
            inner = self.muon_b * square + self.muon_c * fourth
            x = self.muon_a * x + rounded_product(inner, x)
        return ops.transpose(x) if tall else x


def apply_adam(optimizer, gradient, variable, learning_rate, m, v):
    import tensorflow as tf

    betas = optimizer.betas()
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=m.value.handle,
        v=v.value.handle,
        beta1_power=optimizer.powers[0],
        beta2_power=optimizer.powers[1],
        lr=tf.cast(learning_rate, "float32"),
        beta1=betas[0],
        beta2=betas[1],
        epsilon=optimizer.epsilon,
        grad=tf.cast(gradient, "float32"),
    )


def speed_up_loss(loss):
    """The same for sparse cross-entropy from logits; any other loss stays as it is."""
    sparse = type(loss) is keras.losses.SparseCategoricalCrossentropy
    if keras.backend.backend() == "tensorflow" and not gpu_in_use() and sparse and loss.from_logits:
        loss.__class__ = OneSoftmaxCrossEntropy
    return loss


class OneSoftmaxCrossEntropy(keras.losses.SparseCategoricalCrossentropy):
    """log Σ exp(z) - z_label, from a softmax that its gradient needs anyway."""

    def call(self, y_true, y_pred):
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        logits = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
        return ops.reshape(cross_entropy(logits, labels), ops.shape(y_pred)[:-1])


def cross_entropy(logits, labels):
    """(N, V) and (N,) -> (N,). TensorFlow's own spends most of its time on two slow passes."""
    import tensorflow as tf

    places = tf.stack([tf.range(tf.shape(labels)[0]), labels], axis=1)  # (N, 2)

    @tf.custom_gradient
    def losses(logits):
        chances = tf.nn.softmax(logits)
        # log Σ exp(z) = z - log softmax(z) for any z; the largest has a chance of at least 1/V.
        total = tf.reduce_max(logits, -1) - tf.math.log(tf.reduce_max(chances, -1))

        def gradient(upstream):
            product = chances * upstream[:, None]
            return tf.tensor_scatter_nd_sub(product, places, upstream)

        return total - tf.gather_nd(logits, places), gradient

    return losses(logits)


def fuse_attention(model):
    """`FusedAttention` for every layer of attention that has no dropout; the model is returned.

    Tested on CPUs to give the same, not timed: where there is no GPU it is not used.
    """
    for layer in model._flatten_layers():
        if type(layer) is SelfAttention and layer.dropout.rate == 0:
            layer.__class__ = FusedAttention
    return model


class FusedAttention(SelfAttention):
    """softmax(QKᵀ/√D)V as one operation of the backend, which on a GPU need not hold the weights.

    It has no dropout on them, so that it can train only a model whose dropout is 0.
    """

    def call(self, hidden, padding_mask=None):
        batch, length, width = ops.shape(hidden)
        heads = (batch, length, self.num_heads, width // self.num_heads)
        query, key, value = (
            ops.reshape(project(hidden), heads)  # (B, S, A, D)
            for project in (self.query, self.key, self.value)
        )
        if padding_mask is not None:
            padding_mask = ops.cast(padding_mask, "bool")[:, None, None, :]  # (B, 1, 1, S)
        context = ops.dot_product_attention(query, key, value, mask=padding_mask)  # (B, S, A, D)
        return self.join(ops.reshape(context, (batch, length, width)))
