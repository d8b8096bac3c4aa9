"""Transcription with FunASR. `engine` alone imports funasr, torch and silero_vad, when the first call comes."""

from callgrade.adapters.funasr.transcriber import FunASRTranscriber

__all__ = ["FunASRTranscriber"]
