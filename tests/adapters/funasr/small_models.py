"""Small models of FunASR's own classes, written as model directories while the tests run.

They answer in the form of the production models, which weigh a gigabyte and are not here. The voice detector's weights
make it a loudness meter, the punctuation model sets a comma after every word, the rest is random: what they say means
nothing.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

FRONTEND = {"fs": 16000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10, "dither": 0.0}
TOKENS = ["<blank>", "<s>", "</s>", "您", "好", "请", "讲", "wi@@", "fi", "ok", "<unk>"]
PIECES = [*TOKENS[:3], "wi@@", "fi", "请", "讲", "a", "b", "go", "<unk>"]
SANM = {"attention_heads": 2, "linear_units": 16, "num_blocks": 1, "dropout_rate": 0.0, "positional_dropout_rate": 0.0,
        "attention_dropout_rate": 0.0, "pos_enc_class": "SinusoidalPositionEncoder", "normalize_before": True,
        "kernel_size": 11, "sanm_shfit": 0, "selfattention_layer_type": "sanm"}  # fmt: skip


def write_model(
    folder: Path,
    config: dict[str, Any],
    *,
    tokens: list[str] | None = None,
    tune: Callable[[Any], None] = lambda model: None,
    **built: Any,
) -> Path:
    """A directory that `AutoModel` loads: config.yaml, model.pt and tokens.json. `built` is what FunASR would add."""
    import torch
    from funasr.register import tables

    torch.manual_seed(0)
    parts = {key: value for key, value in config.items() if key not in ("model", "model_conf", "tokenizer")}
    model = tables.model_classes[config["model"]](**config.get("model_conf", {}), **parts, **built)
    with torch.no_grad():
        tune(model)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    torch.save(model.state_dict(), folder / "model.pt")
    if tokens:
        (folder / "tokens.json").write_text(json.dumps(tokens), encoding="utf-8")
    return folder


def write_detector(folder: Path) -> Path:
    """fsmn-vad whose speech probability is the loudness of the frame."""
    encoder = {"input_dim": 400, "input_affine_dim": 1, "fsmn_layers": 1, "linear_dim": 1, "proj_dim": 1, "lorder": 2,
               "rorder": 0, "lstride": 1, "rstride": 0, "output_affine_dim": 1, "output_dim": 2}  # fmt: skip
    config = {
        "model": "FsmnVADStreaming",
        "model_conf": {"speech_noise_thres": 0.6, "max_end_silence_time": 500},
        "encoder": "FSMN",
        "encoder_conf": encoder,
        "frontend": "WavFrontendOnline",
        "frontend_conf": {**FRONTEND, "lfr_m": 5, "lfr_n": 1},
    }

    def tune(model: Any) -> None:
        for name, weight in model.named_parameters():
            weight.fill_(0.0 if name.endswith("bias") or "conv" in name else 1.0)
        model.encoder.in_linear1.linear.weight.fill_(1 / 400)
        model.encoder.in_linear2.linear.bias.fill_(-10.0)  # mean log energy: silence far below, speech above
        model.encoder.out_linear2.linear.weight.copy_(
            model.encoder.out_linear2.linear.weight.new_tensor([[-0.6], [0.6]])
        )
        model.encoder.out_linear2.linear.bias.copy_(model.encoder.out_linear2.linear.bias.new_tensor([1.0, -1.0]))

    return write_model(folder, config, tune=tune)


DECODER = {"attention_heads": 2, "linear_units": 16, "num_blocks": 1, "att_layer_num": 1, "kernel_size": 11,
           "sanm_shfit": 0, "dropout_rate": 0.0, "positional_dropout_rate": 0.0, "self_attention_dropout_rate": 0.0,
           "src_attention_dropout_rate": 0.0}  # fmt: skip


def write_paraformer(folder: Path, *, deaf: bool = False, tokens: list[str] = TOKENS) -> Path:
    """Paraformer with random weights; a `deaf` one finds no words in anything."""
    config = _paraformer("Paraformer", {"ctc_weight": 0.0, "predictor_bias": 1}, "CifPredictorV2", {})
    if deaf:
        config["predictor_conf"]["tail_threshold"] = 0.0

    def tune(model: Any) -> None:
        if deaf:
            model.predictor.cif_output.weight.fill_(0.0)
            model.predictor.cif_output.bias.fill_(-30.0)

    return write_model(folder, config, tokens=tokens, tune=tune, input_size=560, vocab_size=len(tokens))


def write_seaco(folder: Path) -> Path:
    """What `paraformer-zh` is: SeACo-Paraformer, with its own predictor of times."""
    conf = {"ctc_weight": 0.0, "predictor_bias": 1, "inner_dim": 16, "bias_encoder_type": "lstm",
            "seaco_decoder": "ParaformerSANMDecoder", "seaco_decoder_conf": DECODER}  # fmt: skip
    config = _paraformer("SeacoParaformer", conf, "CifPredictorV3", {"upsample_times": 3})
    return write_model(folder, config, tokens=TOKENS, input_size=560, vocab_size=len(TOKENS))


def _paraformer(model: str, conf: dict[str, Any], predictor: str, predictor_conf: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": model,
        "model_conf": conf,
        "encoder": "SANMEncoder",
        "encoder_conf": {**SANM, "output_size": 16, "input_layer": "pe"},
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": DECODER,
        "predictor": predictor,
        "predictor_conf": {
            "idim": 16, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.45, **predictor_conf,
        },
        "frontend": "WavFrontend",
        "frontend_conf": {**FRONTEND, "lfr_m": 7, "lfr_n": 6},
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
    }  # fmt: skip


def write_punctuation(folder: Path) -> Path:
    """ct-punc that wants a comma everywhere; its own code then ends the text with a full stop."""
    config = {
        "model": "CTTransformer",
        "model_conf": {"punc_list": ["<unk>", "_", "，", "。", "？", "、"], "embed_unit": 16, "att_unit": 16,
                       "sentence_end_id": 3},
        "encoder": "SANMEncoder",
        "encoder_conf": {**SANM, "input_size": 16, "output_size": 16, "input_layer": "pe"},
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>"},
    }  # fmt: skip

    def tune(model: Any) -> None:
        model.decoder.weight.fill_(0.0)
        model.decoder.bias.copy_(model.decoder.bias.new_tensor([0, 0, 9, 0, 0, 0]))

    return write_model(folder, config, tokens=TOKENS, tune=tune, vocab_size=len(TOKENS))


def write_speakers(folder: Path) -> Path:
    """cam++, small and random: it still tells a high voice from a low one."""
    config = {
        "model": "CAMPPlus",
        "model_conf": {"feat_dim": 80, "embedding_size": 16, "growth_rate": 4, "init_channels": 16},
        "frontend": "WavFrontend",
        "frontend_conf": FRONTEND,
    }
    return write_model(folder, config)
