<?php
class Client {
    const SCHEME = 'https://';
    const DOMAIN = 'shim.example.com';
    function call($path) {
        return post(self::SCHEME . self::DOMAIN . '/v1/' . $path);
    }
}
