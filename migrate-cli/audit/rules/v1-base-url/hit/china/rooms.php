<?php
class Rooms
{
    private $base = 'https://www.zoomus.cn/v1/';

    public function people($key, $secret)
    {
        return $this->send('user/list', ['api_key' => $key, 'api_secret' => $secret]);
    }

    private function send($path, array $data)
    {
        return post($this->base . $path, $data);
    }
}
