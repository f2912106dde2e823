<?php
class Zoom
{
    const BASE = 'https://api.zoom.us/v1/';

    function call($path, $data)
    {
        return $this->http->post(self::BASE . $path, ['api_key' => $this->key] + $data);
    }

    function user($action, $data)
    {
        return $this->call("user/{$action}", $data);
    }
}
