<?php
class Client {
    const SCHEME = 'https://';
    const DOMAIN = 'api.zoom.us';
    function call($path) {
        return post(self::SCHEME . self::DOMAIN . '/v1/' . $path);
    }
}
