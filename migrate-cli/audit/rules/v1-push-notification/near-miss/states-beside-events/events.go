package zoom

// States of a recording, and events of webhooks.
const (
	Started   = "STARTED"
	Completed = "RECORDING_MEETING_COMPLETED"

	EventTypeMeetingStarted = "meeting.started"
	EventTypeRecordingDone  = "recording.completed"
)
