<?php
class ZoomRooms
{
    function ask($path, $data)
    {
        return $this->curl->post($this->base . $path, $data + $this->credentials);
    }

    function find($email)
    {
        $url = 'user/getbyemail';
        return $this->ask($url, array('email' => $email));
    }

    function change($is_webinar, $data)
    {
        if ($is_webinar) {
            $url = 'webinar/update';
        } else {
            $url = 'meeting/update';
        }
        return $this->ask($url, $data);
    }

    function look($kind, $data)
    {
        switch ($kind) {
            case 'webinar':
                $url = 'webinar/get';
                break;
            default:
                $url = 'meeting/get';
        }
        return $this->ask($url, $data);
    }

    function end($data)
    {
        $url = 'meeting/';
        $url .= 'end';
        return $this->ask($url, $data);
    }
}
