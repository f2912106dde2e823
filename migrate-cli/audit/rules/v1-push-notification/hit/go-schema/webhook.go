package zoom

const (
	StatusStarted = "STARTED"
	StatusEnded   = "ENDED"
)

type Webhook struct {
	ID     int    `schema:"id"`
	UUID   string `schema:"uuid"`
	Status string `schema:"status"`
	HostID string `schema:"host_id"`
}
