<?php
class ZoomWebhookController {
  public function receive(Request $request) {
    $id = $request->request->get('id');
    $uuid = $request->request->get('uuid');
    $host = $request->request->get('host_id');
    switch ($request->request->get('status')) {
      case 'STARTED':
        return $this->started($id, $uuid, $host);

      case 'ENDED':
        return $this->ended($id, $uuid, $host);
    }
    return new JsonResponse(['status' => 'ok']);
  }
}
