<?php
class zoom_webservice
{
    public function get_webinars($zoom)
    {
        switch ($this->version) {
            case 1:
                $url = 'webinar/uuid/list';
                break;
            case 2:
                $url = 'users/' . $zoom->host_id . '/webinars';
                break;
        }
        return $this->make_call($url);
    }
}
