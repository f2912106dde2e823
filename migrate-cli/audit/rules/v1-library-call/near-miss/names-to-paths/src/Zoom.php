<?php
class Zoom
{
    protected $apiUrl = 'https://api.zoom.us/v2/';

    public function __call($name, $args)
    {
        return $this->send($name, ...$args);
    }
}
