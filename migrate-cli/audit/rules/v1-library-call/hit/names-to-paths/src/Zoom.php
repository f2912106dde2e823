<?php
class Zoom
{
    protected $apiUrl = 'https://api.zoom.us/v1/';
    protected $resource = [];

    public function __get($name)
    {
        $this->resource[] = $name;

        return $this;
    }

    public function __call($name, $args)
    {
        return $this->send(implode('/', $this->resource) . '/' . $name, ...$args);
    }
}
