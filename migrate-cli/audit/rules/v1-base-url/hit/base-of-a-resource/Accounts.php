<?php
class Accounts {
    protected $base = 'https://api.zoom.us/v1/ma/';
    function all() { return $this->post($this->base . 'account/list'); }
}
