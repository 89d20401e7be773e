"""Pictures. The only matplotlib here; it knows nothing of models."""

from mscam_tf.plots.canvas import COLOR_MAP as COLOR_MAP
from mscam_tf.plots.canvas import save_figure as save_figure
from mscam_tf.plots.charts import plot_confusion_matrix as plot_confusion_matrix
from mscam_tf.plots.charts import plot_history as plot_history
from mscam_tf.plots.charts import plot_relevance as plot_relevance
from mscam_tf.plots.charts import plot_sizes as plot_sizes
from mscam_tf.plots.confusions import plot_confused_images as plot_confused_images
from mscam_tf.plots.confusions import plot_overlaps as plot_overlaps
from mscam_tf.plots.examples import plot_examples as plot_examples
from mscam_tf.plots.maps import plot_contact_sheet as plot_contact_sheet
from mscam_tf.plots.maps import plot_maps as plot_maps
from mscam_tf.plots.maps import plot_overlay as plot_overlay
from mscam_tf.plots.maps import plot_scales as plot_scales
from mscam_tf.plots.maps import plot_sheet as plot_sheet
