"""The choice of a video's audio track: the first one that is not empty and can be decoded."""

from __future__ import annotations

from dataclasses import dataclass

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer

AUDIO_DECODERS = (
    "aac", "mp3float", "mp3", "mp2float", "mp2", "opus", "libopus", "vorbis", "flac", "alac", "ac3", "eac3", "amrnb",
    "amrwb", "wmav2", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8",
    "pcm_alaw", "pcm_mulaw",
)  # fmt: skip
MAX_TRIED_PACKETS = 40
"""A track of which none of so many packets can be decoded is left out."""
MAX_PROBED_PACKETS = 4000
"""Packets of all tracks that are read at most: half a minute of a video with two tracks."""


@dataclass(frozen=True)
class AudioChoice:
    """The audio track to keep.

    Attributes:
        index: number of the stream in the container; None if there is none to keep.
        notes: sentences for the user about tracks that are left out.
    """

    index: int | None
    notes: tuple[str, ...] = ()


def choose_audio(container: InputContainer, name: str) -> AudioChoice:
    """Read the beginning of a file and choose its audio track.

    Args:
        container: opened for this call only.
        name: of the file, for the notes.
    """
    tracks = list(container.streams.audio)
    supported = [track for track in tracks if decoder_name(track) in AUDIO_DECODERS]
    if not supported:
        codecs = ", ".join(dict.fromkeys(decoder_name(track) for track in tracks))
        note = f"The sound of {name} is in a format that is not supported ({codecs}). It is left out."
        return AudioChoice(None, (note,) if tracks else ())
    working, broken = _probe(container, supported)
    usable = [track for track in supported if track.index not in broken]
    if not usable:
        return AudioChoice(None, (f"The sound of {name} is damaged. It is left out.",))
    # A track without packets at the beginning may begin late, so it is taken if there is no other.
    chosen = next((track for track in usable if track.index in working), usable[0])
    if len(tracks) == 1:
        return AudioChoice(chosen.index)
    note = f"{name} has {len(tracks)} sound tracks. Track {tracks.index(chosen) + 1} is kept."
    return AudioChoice(chosen.index, (note,))


def decoder_name(track: AudioStream) -> str:
    """Return FFmpeg's name of the decoder for a track; "unknown" if FFmpeg has none."""
    return track.codec_context.name if track.codec_context is not None else "unknown"


def _probe(container: InputContainer, tracks: list[AudioStream]) -> tuple[set[int], set[int]]:
    """Return the stream numbers of the tracks that can be decoded, and of those that can't."""
    working: set[int] = set()
    tried = {track.index: 0 for track in tracks}
    videos = list(container.streams.video[:1])  # its packets bound how far is read
    packets = container.demux([*videos, *tracks])
    for _ in range(MAX_PROBED_PACKETS):
        try:
            packet = next(packets, None)
            if packet is None:
                break
            index = packet.stream.index
            if index not in tried or not packet.size:
                continue
            tried[index] += 1
            if packet.decode():
                working.add(index)
        except (av.error.FFmpegError, OSError):
            pass
        candidates = [index for index, count in tried.items() if count < MAX_TRIED_PACKETS or index in working]
        if not candidates or candidates[0] in working:
            break
    return working, {index for index, count in tried.items() if count >= MAX_TRIED_PACKETS and index not in working}
