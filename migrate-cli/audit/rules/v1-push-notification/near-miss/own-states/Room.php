<?php
// A Zoom meeting of ours and its state.
class Room {
    public function update() {
        $this->zoom->setTopic($_POST['topic'], $this->host_id);
        if ($this->status == 'STARTED' && $this->uuid) {
            $this->status = 'ENDED';
        }
    }
}
