<?php
class Rooms {
    private $base = 'https://api.zoom.us/v1/';
    function people() { return $this->send('user/list', array()); }
    function open($form = array()) {
        $meeting = array('host_id' => $form['owner']);
        $meeting['option_jbh'] = $form['option_jbh'] ? true : false;
        return $this->send('meeting/create', $meeting);
    }
}
