<?php
class ZoomClient
{
    public function create($data)
    {
        return $this->transport->send('user/custcreate', $data);
    }

    public function createSilently($data)
    {
        return $this->transport->send('user/autocreate2', $data);
    }
}
