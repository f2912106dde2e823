<?php
class ZoomRooms
{
    public function create($room)
    {
        $data = array('api_key' => $room->key, 'api_secret' => $room->secret);
        $data['option_jbh'] = true;
        return $this->http->post($this->settings->create_url, $data);
    }
}
