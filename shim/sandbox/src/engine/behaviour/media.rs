//! Small but valid recording files.

/// Media file.
pub(super) struct Media {
    pub(super) file_type: &'static str,
    pub(super) extension: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bytes: &'static [u8],
}

const MEDIA: [Media; 4] = [
    Media {
        file_type: "MP4",
        extension: "MP4",
        content_type: "video/mp4",
        bytes: include_bytes!("../../../api/recordings/media/video.mp4"),
    },
    Media {
        file_type: "M4A",
        extension: "M4A",
        content_type: "audio/mp4",
        bytes: include_bytes!("../../../api/recordings/media/audio.m4a"),
    },
    Media {
        file_type: "CHAT",
        extension: "TXT",
        content_type: "text/plain;charset=UTF-8",
        bytes: include_bytes!("../../../api/recordings/media/chat.txt"),
    },
    Media {
        file_type: "TRANSCRIPT",
        extension: "VTT",
        content_type: "text/vtt;charset=UTF-8",
        bytes: include_bytes!("../../../api/recordings/media/transcript.vtt"),
    },
];

/// File of a type; a video for types without one.
pub(super) fn of(file_type: &str) -> &'static Media {
    let [video, ..] = &MEDIA;
    MEDIA
        .iter()
        .find(|media| media.file_type == file_type)
        .unwrap_or(video)
}
