"""A bundle of a tiny model: graphs, tokens and answers against PyTorch, and the loop around."""

from dataclasses import replace
from pathlib import Path
import shutil
import time
import tracemalloc

from deepsight_training import export_deepsight
from deepsight_training.datasets.questions import pack
from deepsight_training.deepsight_graphs import ENCODER_INPUTS
from deepsight_training.deepsight_graphs import ENCODER_OUTPUTS
from deepsight_training.instructions.sample import FrameSample
from deepsight_training.language_inputs import open_precision
from deepsight_training.measure_deepsight import measure
from deepsight_training.models.configuration_deepsight import DeepSightConfig
from deepsight_training.models.modeling_deepsight import DeepSightForConditionalGeneration
from deepsight_training.models.places_together import PlacesTogether
import numpy as np
import onnx
import pytest
from tiny_language_bundle import tiny_model
from tiny_language_bundle import tiny_tokenizer
import torch

from deepsight_ros.engines import EngineError
from deepsight_ros.engines import load_engine
from deepsight_ros.engines.manifest import Manifest
from deepsight_ros.engines.manifest import sha256
from deepsight_ros.engines.parity import run_parity
from deepsight_ros.engines.recorded_inputs import read_recorded
from deepsight_ros.geometry import Camera
from deepsight_ros.geometry import GroundPlane
from deepsight_ros.language.confidence import CONFIDENCE
from deepsight_ros.language.confidence import Confidence
from deepsight_ros.language.confidence import Curve
from deepsight_ros.language.confidence import OTHERS
from deepsight_ros.language.decoder import BUCKET
from deepsight_ros.language.decoder import Step
from deepsight_ros.language.embeddings import Embeddings
from deepsight_ros.language.errors import LanguageError
from deepsight_ros.language.generation import Greedy
from deepsight_ros.language.generation import Limits
from deepsight_ros.language.generation import Sampling
from deepsight_ros.language.model import EMBEDDINGS
from deepsight_ros.language.model import LanguageModel
from deepsight_ros.language.tokenizer import BINS
from deepsight_ros.language.tokenizer import Tokenizer
from deepsight_ros.perception.answering import ENCODER
from deepsight_ros.perception.answering import SpatialAnswering
from deepsight_ros.perception.evidence import DepthFrame

QUESTIONS = [
    'how far is it?', 'how far is <region:0.200,0.700>?', 'which is nearer, A '
    '<region:0.100,0.900> or B <region:0.900,0.100>?', '<loc:0.500,0.500>: what is that', '🙂']


@pytest.fixture(scope='module')
def tokenizer() -> Tokenizer:
    return tiny_tokenizer()


@pytest.fixture(scope='module')
def model(tokenizer: Tokenizer) -> DeepSightForConditionalGeneration:
    model = tiny_model(tokenizer, box_branch=True)
    # What boxes add starts as zero.
    torch.nn.init.normal_(model.encoder.boxes.projection.weight, std=5.0)
    return model


@pytest.fixture(scope='module')
def bundle(model: DeepSightForConditionalGeneration, tokenizer: Tokenizer,
           tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('bundles') / 'tiny'
    export_deepsight.write_bundle(
        model, tokenizer, folder, prompt='nano', trained=('noise',), capacity=96)
    return folder


@pytest.fixture(scope='module')
def frame() -> DepthFrame:
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 6.0, (48, 64)).astype(np.float32)
    depth[:5] = np.nan
    return DepthFrame(depth, Camera(64, 48, 50.0, 50.0, 31.5, 23.5), GroundPlane.from_height(1.0))


@pytest.fixture
def answering(bundle: Path) -> SpatialAnswering:
    return open_precision(bundle, 'fp32')


def torch_inputs(frame: DepthFrame, question: str, answering: SpatialAnswering) -> dict:
    item = pack(answering.model.prompter, [(question, '')])
    return {
        'input_ids': item['ids'][None, :-1],  # without the end of the empty answer
        'regions': item['regions'][None],
        **{name: torch.from_numpy(value)
           for name, value in answering.encoder_inputs(frame).items()}}


def visual_embeddings(model: DeepSightForConditionalGeneration, inputs: dict) -> np.ndarray:
    """Embeddings of a picture [N, E] by PyTorch."""
    tokens, _, channels = model.encoder(*(inputs[name] for name in ENCODER_INPUTS))
    return model.visual_embeddings(tokens, channels)[0].numpy()


@torch.no_grad()
def test_the_encoder_graph_agrees(
    model: DeepSightForConditionalGeneration, answering: SpatialAnswering, frame: DepthFrame,
):
    inputs = torch_inputs(frame, 'it', answering)
    _, features, channels = model.encoder(*(inputs[name] for name in ENCODER_INPUTS))
    picture = answering.encode(frame)
    np.testing.assert_allclose(picture.tokens, visual_embeddings(model, inputs), atol=2e-4)
    for name, expected in zip(ENCODER_OUTPUTS[1:], (features, channels), strict=True):
        np.testing.assert_allclose(
            getattr(picture, name), expected[0].numpy(), atol=2e-4, err_msg=name)


def torch_tokens(model: DeepSightForConditionalGeneration, inputs: dict, end: int,
                 ) -> tuple[int, ...]:
    """Greedy answer of up to twelve tokens."""
    found = model.generate(**inputs, max_new_tokens=12, do_sample=False,
                           logits_processor=[PlacesTogether(model.config)])
    tokens = found[0, inputs['input_ids'].shape[1]:].tolist()
    return tuple(tokens[:tokens.index(end)] if end in tokens else tokens)


def test_padded_prompts_change_nothing(bundle: Path, frame: DepthFrame):
    """On a GPU prompts are padded, so that few graphs serve all lengths."""
    plain, padded = (open_precision(bundle, 'fp32') for _ in range(2))
    padded.model.decoder._bucket = BUCKET
    for question in QUESTIONS:  # all but the first go back behind the picture
        expected, found = (one.ask(frame, question, Limits(tokens=12)) for one in (plain, padded))
        assert (found.text, found.error) == (expected.text, '')


def test_engines_that_cannot_answer_are_not_taken(
    answering: SpatialAnswering, bundle: Path, frame: DepthFrame,
):
    expected = answering.ask(frame, QUESTIONS[0]).text
    old = answering.encoder, answering.model.decoder
    encoder, decoder = load_engine(bundle / ENCODER), load_engine(bundle)
    decoder.close()
    with pytest.raises(EngineError, match='is closed'):
        answering.change_engines(encoder, decoder)
    assert (answering.encoder, answering.model.decoder) == old
    assert answering.ask(frame, QUESTIONS[0]).text == expected
    with pytest.raises(EngineError, match='is closed'):
        encoder.warm_up()


@pytest.mark.parametrize('question', QUESTIONS)
@torch.no_grad()
def test_greedy_answers_and_logits_agree(
    question: str, model: DeepSightForConditionalGeneration, answering: SpatialAnswering,
    frame: DepthFrame,
):
    inputs = torch_inputs(frame, question, answering)
    expected = torch_tokens(model, inputs, answering.model.prompter.end)
    text, done = answering.model.answer(answering.encode(frame), question, Limits(tokens=12))
    assert done.tokens == expected
    assert text == answering.model.tokenizer.decode(expected)
    assert len(set(expected)) > 1, 'the test would not see a wrong position or mask'

    logits = model(**inputs).logits[0, -1].numpy()
    asked = answering.model
    asked.decoder.rewind()
    step = asked.decoder.run(asked.prompt(answering.encode(frame), question))
    np.testing.assert_allclose(step.logits[0], logits, atol=2e-3)
    shares = np.exp(logits - logits.max())
    assert step.probability == pytest.approx(shares.max() / shares.sum(), abs=1e-3)


def test_a_second_question_uses_the_picture_that_is_there(
    answering: SpatialAnswering, frame: DepthFrame,
):
    limits = Limits(tokens=6)
    alone = [answering.ask(frame, question, limits) for question in QUESTIONS]
    fresh = []
    for question in QUESTIONS:
        answering.ask(DepthFrame(frame.depth + 1, frame.camera), 'x', limits)
        fresh.append(answering.ask(frame, question, limits))
    assert [item.text for item in alone] == [item.text for item in fresh]
    assert [item.status for item in alone] == ['ok'] * len(alone)


@torch.no_grad()
def test_boxes_reach_the_graph(
    model: DeepSightForConditionalGeneration, answering: SpatialAnswering, frame: DepthFrame,
):
    depth = np.full((48, 64), 4.0, np.float32)
    depth[10:40, 20:44] = 2.0
    thing = DepthFrame(depth, frame.camera, frame.ground)
    inputs = torch_inputs(thing, 'how far is it?', answering)
    assert np.count_nonzero(inputs['boxes'][0, :, 2]) == 1
    _, done = answering.model.answer(
        answering.encode(thing), 'how far is it?', Limits(tokens=12))
    assert done.tokens == torch_tokens(model, inputs, answering.model.prompter.end)
    seen = visual_embeddings(model, inputs)
    np.testing.assert_allclose(answering.encode(thing).tokens, seen, atol=2e-4)
    assert np.abs(seen - visual_embeddings(model, {**inputs, 'boxes': None})).max() > 0.1


@pytest.mark.parametrize(('precision', 'least'), [('int8', 0.99), ('fp16', 0.9999)])
def test_smaller_weights_are_close(precision: str, least: float, bundle: Path, frame: DepthFrame,
                                   answering: SpatialAnswering):
    picture = answering.encode(frame)
    rows = []
    for one in ('fp32', precision):
        model = open_precision(bundle, one).model
        rows.append(model.decoder.run(model.prompt(picture, 'how far')).logits[0])
    assert rows[1].dtype == np.float32
    cosine = rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1])
    assert least < cosine < 1.0


def test_each_backend_finds_its_variant(bundle: Path):
    manifest = Manifest.read(bundle)
    assert [manifest.variant(backend).precision
            for backend in ('onnxruntime', 'tensorrt')] == ['int8', 'fp16']
    decoder = open_precision(bundle, 'fp16').model.decoder
    dtypes = {spec.name: spec.dtype for spec in
              (*decoder.engine.inputs, *decoder.engine.outputs)}
    assert dtypes['kv'] == dtypes['kv_new'] == dtypes['embeddings'] == 'float16'


def test_half_precision_may_be_left_out(spatial_language_bundle: Path):
    manifest = Manifest.read(spatial_language_bundle)
    manifest.verify(spatial_language_bundle)
    assert [manifest.variant(backend).precision
            for backend in ('onnxruntime', 'tensorrt')] == ['int8', 'fp32']
    assert not (spatial_language_bundle / 'decoder_fp16.onnx').exists()


def test_weights_hold_no_bits_that_training_did_not_see(bundle: Path):
    for path in (bundle / 'decoder.onnx', bundle / ENCODER / 'encoder.onnx'):
        weights = [onnx.numpy_helper.to_array(item) for item in onnx.load(path).graph.initializer
                   if item.data_type == onnx.TensorProto.FLOAT and len(item.dims) > 1
                   and item.name != 'places']  # sums of two rows
        assert len(weights) > 10
        for array in weights:
            assert not (np.ascontiguousarray(array).view(np.uint32) & 0xffff).any()


@pytest.mark.parametrize('precision', ['fp32', 'fp16', 'int8'])
def test_recorded_inputs_are_prompts_and_a_step(precision: str, bundle: Path):
    manifest = Manifest.read(bundle)
    cases = read_recorded(bundle, manifest)
    assert [case['positions'].shape[1] > 1 for case in cases] == [True, True, False]
    assert [case['kv'].any() for case in cases] == [False, False, True]
    with open_precision(bundle, precision).model.decoder.engine as engine:
        engine.warm_up()
        variant = next(item for item in manifest.variants if item.precision == precision)
        assert run_parity(engine, cases, bundle, manifest, variant).passed
    recorded = read_recorded(bundle / ENCODER, Manifest.read(bundle / ENCODER))
    assert [case['depth'].any() and case['ground'].any() for case in recorded] == [True]


def test_half_precision_still_norms_and_weighs_in_single_precision(bundle: Path):
    graph = onnx.shape_inference.infer_shapes(onnx.load(bundle / 'decoder_fp16.onnx')).graph
    dtypes = {item.name: item.type.tensor_type.elem_type
              for item in (*graph.value_info, *graph.input, *graph.output)}
    for node in graph.node:
        if node.op_type in ('Softmax', 'ReduceMean', 'Sqrt', 'Cos'):
            assert dtypes[node.input[0]] == onnx.TensorProto.FLOAT, node
        if node.op_type in ('MatMul', 'Gemm'):
            assert dtypes[node.input[0]] == onnx.TensorProto.FLOAT16, node


def test_weights_in_8_bits_are_all_but_the_last_layers(bundle: Path):
    weights = {name: {item.name: item for item in onnx.load(bundle / name).graph.initializer}
               for name in ('decoder.onnx', 'decoder_int8.onnx')}
    small = {name for name, item in weights['decoder_int8.onnx'].items()
             if item.data_type == onnx.TensorProto.INT8}
    assert len(small) == 6 * 2, 'matrices of two layers but for those that close the MLPs'
    for name in small:
        whole, integers, scale = (onnx.numpy_helper.to_array(item) for item in (
            weights['decoder.onnx'][name], weights['decoder_int8.onnx'][name],
            weights['decoder_int8.onnx'][f'{name}/scale']))
        np.testing.assert_allclose(integers * scale, whole, atol=0.501 * scale.max())
        assert np.abs(integers).max() == 127


def test_a_token_makes_no_new_array(answering: SpatialAnswering, frame: DepthFrame):
    model = answering.model
    model.answer(answering.encode(frame), 'how far', Limits(tokens=2))
    domain = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    tracemalloc.start()
    try:
        choose = Greedy(model.tokenizer.columns)
        tracemalloc.clear_traces()
        kept = [choose(model.decoder.step(model.embeddings.row(token))) for token in range(20)]
        found = tracemalloc.take_snapshot().filter_traces([domain]).statistics('lineno')
    finally:
        tracemalloc.stop()
    assert len(kept) == 20
    assert sum(item.size for item in found) == 0, found


def test_bundles_are_measured_against_pytorch(
    model: DeepSightForConditionalGeneration, bundle: Path, frame: DepthFrame, tmp_path: Path,
):
    sample = FrameSample.unlabelled('noise', frame.depth, frame.camera, frame.ground)
    metrics = measure(model, bundle, [sample, sample], 'noise', count=4)
    values = {item['name']: item['value'] for item in metrics}
    assert values['same_text_fp32'] == 1.0
    assert values['tokens_per_second_int8'] > 0
    assert metrics[0]['dataset'].startswith('4 questions on noise')
    copy = shutil.copytree(bundle, tmp_path / 'copy')
    export_deepsight.describe(model, copy, ('noise',), metrics)
    Manifest.read(copy).verify(copy)
    assert '| same_text_fp32 | 1.0 |' in (copy / 'MODEL_CARD.md').read_text()


def test_confidence_is_calibrated_where_the_bundle_knows_how(
    bundle: Path, answering: SpatialAnswering, frame: DepthFrame, tmp_path: Path,
):
    copy = shutil.copytree(bundle, tmp_path / 'copy')
    Confidence({OTHERS: Curve(0.0, 1.0)}).write(copy / CONFIDENCE)
    manifest = Manifest.read(copy)
    files = {**manifest.files, CONFIDENCE: sha256(copy / CONFIDENCE)}
    replace(manifest, files=files).write(copy)
    sure = open_precision(copy, 'fp32').ask(frame, 'how far', Limits(tokens=8))
    assert sure.confidence == pytest.approx(1 / (1 + np.exp(-1)))
    plain = answering.ask(frame, 'how far', Limits(tokens=8))
    assert plain.text == sure.text
    done = answering.model.answer(answering.encode(frame), 'how far', Limits(tokens=8))[1]
    assert plain.confidence == pytest.approx(done.probability, rel=1e-4)


def test_cancel_and_deadline_stop_within_one_token(
    answering: SpatialAnswering, frame: DepthFrame,
):
    texts: list[str] = []
    cancelled = answering.ask(
        frame, 'how far', Limits(is_cancelled=lambda: len(texts) == 2), on_text=texts.append)
    assert (cancelled.status, cancelled.tokens, len(texts)) == ('cancelled', 2, 2)
    assert answering.ask(frame, 'how far', Limits(deadline=time.monotonic())).status == 'deadline'
    assert answering.ask(frame, 'how far', Limits(tokens=3)).tokens == 3


def test_a_place_is_as_likely_as_all_places_together():
    first = 4
    choose = Greedy(range(first, first + BINS))
    processor = PlacesTogether(DeepSightConfig(column_token_id=first))
    shares = np.full((1, first + BINS + 1), 1e-6, np.float32)
    shares[0, [0, 10, 11, 12]] = 0.4, 0.15, 0.25, 0.2
    for likeliest, expected, share in ((0.4, 11, 0.6), (0.7, 0, 0.7 / 1.3)):
        shares[0, 0] = likeliest
        shares /= shares.sum()
        step = Step(int(shares.argmax()), float(shares.max()), np.log(shares))
        token, probability = choose(step)
        assert token == expected
        assert probability == pytest.approx(share, rel=1e-3)
        assert int(processor(None, torch.from_numpy(step.logits)).argmax()) == expected


def test_streamed_text_grows_to_the_answer(answering: SpatialAnswering, frame: DepthFrame):
    texts: list[str] = []
    text, done = answering.model.answer(
        answering.encode(frame), 'how far', Limits(tokens=8), on_text=texts.append)
    assert len(texts) == len(done.tokens)
    assert texts[-1] == text
    assert done.decode_s > 0
    assert done.prefill_s > 0


def test_sampling_repeats_with_its_seed(answering: SpatialAnswering, frame: DepthFrame):
    def draw(seed: int, **options: float) -> tuple[int, ...]:
        sampling = Sampling(seed, **options)
        return answering.model.answer(
            answering.encode(frame), 'how far', Limits(tokens=8), sampling)[1].tokens
    assert draw(1) == draw(1)
    assert len({draw(seed) for seed in range(5)}) > 1
    assert draw(3, top_p=1e-6) == draw(4, top_p=1e-6)
    with pytest.raises(LanguageError, match='top_p'):
        Sampling(0, top_p=0.0)


def test_bad_questions_are_answered_in_words(answering: SpatialAnswering, frame: DepthFrame):
    for question, reason in (('', 'empty'), ('x' * 100_000, 'shorter'),
                             ('how far is (64, 0)?', 'outside')):
        answer = answering.ask(frame, question)
        assert answer.status == 'rejected'
        assert reason in answer.error
    unknown = DepthFrame(frame.depth, frame.camera)
    answer = answering.ask(unknown, 'How far is the nearest obstacle?')
    assert answer.status == 'error'
    assert 'ground' in answer.error
    turned = replace(frame, no_way='the camera looks back')
    answer = answering.ask(turned, 'How far is the nearest obstacle?')
    assert (answer.status, answer.error) == ('error', turned.no_way)
    nothing = DepthFrame(np.full((48, 64), np.nan, np.float32), frame.camera)
    answer = answering.ask(nothing, 'what is that?')
    assert answer.status == 'error'
    assert 'nothing was measured' in answer.error


def test_parts_that_do_not_fit_are_refused(bundle: Path, tmp_path: Path):
    engine = open_precision(bundle, 'fp32').model.decoder.engine
    for name in ('tokenizer.json', EMBEDDINGS):
        (tmp_path / name).write_bytes((bundle / name).read_bytes())
    with np.load(bundle / EMBEDDINGS) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / EMBEDDINGS, **{**arrays, 'tokens': arrays['tokens'][:10]})
    with pytest.raises(LanguageError, match='export the bundle again'):
        LanguageModel(engine, tmp_path)
    with pytest.raises(LanguageError, match='lack'):
        Embeddings({'tokens': arrays['tokens']})
    with pytest.raises(EngineError, match='not'):
        SpatialAnswering(engine, open_precision(bundle, 'fp32').model)


@pytest.mark.parametrize('path', [
    'decoder.onnx', 'decoder_fp16.onnx', 'decoder_int8.onnx', f'{ENCODER}/encoder.onnx'])
def test_graphs_tell_nothing_about_the_machine(bundle: Path, path: str):
    content = (bundle / path).read_bytes()
    for secret in (b'.py', b'site-packages', b'forward'):
        assert secret not in content
    graph = onnx.load(bundle / path)
    assert graph.ir_version <= 9
    assert ('', 18) in [(item.domain, item.version) for item in graph.opset_import]
    assert not any(node.metadata_props or node.doc_string for node in graph.graph.node)


def test_the_buffer_grows_with_the_picture():
    assert export_deepsight.capacity_for(81) == 256, 'that of deepsight_nano'
    assert export_deepsight.capacity_for(7) == 256
    assert export_deepsight.capacity_for(620) == 800


def test_what_no_graph_can_hold_is_refused_first(
    model: DeepSightForConditionalGeneration, tokenizer: Tokenizer, tmp_path: Path,
):
    with pytest.raises(ValueError, match='knows 32768; train with another --text'):
        export_deepsight.write_bundle(
            model, tokenizer, tmp_path / 'far', prompt='nano', trained=(), capacity=32769)
    text = {'model_type': 'llama', 'hidden_size': 4096, 'intermediate_size': 11008,
            'num_hidden_layers': 3}
    with torch.device('meta'):
        large = DeepSightForConditionalGeneration(
            DeepSightConfig(model.config.encoder_config, text))
    with pytest.raises(ValueError, match='3.0 GB of weights.*with PyTorch'):
        export_deepsight.write_bundle(
            large, tokenizer, tmp_path / 'large', prompt='nano', trained=())
    assert not list(tmp_path.iterdir())
