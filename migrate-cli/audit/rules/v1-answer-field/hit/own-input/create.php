<?php
$data = array('api_key' => KEY, 'api_secret' => SECRET, 'topic' => $_POST['topic']);
$old = post('https://api.zoom.us/v1/meeting/get', $data);
$data['option_jbh'] = $_POST['option_jbh'];
$data['option_audio'] = $request->input('option_audio');
$data['settings']['option_host_video'] = $old->option_host_video;
