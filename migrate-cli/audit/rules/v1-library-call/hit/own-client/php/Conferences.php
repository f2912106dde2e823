<?php
class Conferences {
  private $base = 'https://api.zoom.us/v1/';
  public function __call($name, $args) {
    $path = str_replace('_', '/', $name);
    return $this->post($this->base . $path, $args[0]);
  }
}
