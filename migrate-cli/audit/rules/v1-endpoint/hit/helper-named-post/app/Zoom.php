<?php
class Zoom
{
    public function __construct()
    {
        $this->http = new \GuzzleHttp\Client(['base_uri' => config('services.zoom.url')]);
    }

    protected function post($uri, array $form)
    {
        return $this->http->post($uri, ['form_params' => $form + ['api_key' => $this->key, 'api_secret' => $this->secret]]);
    }

    public function create($email)
    {
        return $this->post('user/custcreate', ['email' => $email, 'type' => 1]);
    }
}
