<?php
class ZoomClient
{
    private $url = ZOOM_URL;

    private function sendRequest($function, $data)
    {
        $data['api_key'] = $this->key;
        $data['api_secret'] = $this->secret;
        return json_decode(post($this->url . $function, http_build_query($data)));
    }

    // user/list comes in pages
    public function users()
    {
        $list['page_size'] = 300;
        return $this->sendRequest('user/list', $list);
    }

    public function create($email)
    {
        return $this->sendRequest('user/custcreate', array('email' => $email, 'type' => 1));
    }

    public function meeting($webinar, $id)
    {
        $url = $webinar ? 'webinar/get' : 'meeting/get';
        try {
            return $this->sendRequest($url, array('id' => $id));
        } catch (Exception $e) {
            zoom_print_error('meeting/get', $e);
        }
    }
}
