"""Trains the demo network on the glyphs and exports it to ONNX.

Needs Debian's python3-torch and python3-onnx; runs on the CPU in a few minutes.

    node scripts/demo/make-glyph-dataset.mjs /tmp/glyphs
    python3 scripts/demo/train.py /tmp/glyphs assets/demo/glyphs.onnx
    node dist/lib/cli/main.js convert assets/demo/glyphs.onnx -o assets/demo/glyphs.xml

The network has one of everything that quantization treats in its own way: convolution with batch normalization and
ReLU, a residual sum, depthwise-separable convolutions with ReLU6, max pooling, a fire block that ends in a
concatenation, global average pooling, a linear layer and softmax. Batch normalization is kept in the file.
"""
import argparse

import numpy as np
import onnx
import torch
from torch import nn


def conv_bn(inputs, outputs, size, activation, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        activation,
    )


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv_bn(channels, channels, 3, nn.ReLU())
        self.second = conv_bn(channels, channels, 3, nn.Identity())

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, expanded):
        super().__init__()
        self.squeeze = conv_bn(inputs, squeezed, 1, nn.ReLU())
        self.narrow = conv_bn(squeezed, expanded, 1, nn.ReLU())
        self.wide = conv_bn(squeezed, expanded, 3, nn.ReLU())

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.narrow(x), self.wide(x)], 1)


def separable(inputs, outputs):
    return nn.Sequential(
        conv_bn(inputs, inputs, 3, nn.ReLU6(), groups=inputs),
        conv_bn(inputs, outputs, 1, nn.ReLU6()),
    )


class GlyphNet(nn.Module):
    """Logits of shape [N, classes] from images [N, 1, 32, 32] in 0..1."""

    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            conv_bn(1, 24, 3, nn.ReLU()),
            Residual(24),
            nn.MaxPool2d(2),
            separable(24, 64),
            separable(64, 96),
            nn.MaxPool2d(2),
            Fire(96, 32, 64),
            conv_bn(128, 128, 3, nn.ReLU()),
        )
        self.classifier = nn.Linear(128, classes)

    def forward(self, x):
        return self.classifier(torch.flatten(nn.functional.adaptive_avg_pool2d(self.features(x), 1), 1))


def accuracy(model, images, labels):
    model.eval()
    right = 0
    with torch.no_grad():
        for i in range(0, len(images), 500):
            right += (model(images[i : i + 500]).argmax(1) == labels[i : i + 500]).sum().item()
    return right / len(images)


def train(model, images, labels, test, epochs, batch):
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(images))
        total = 0.0
        for i in range(0, len(images) - batch + 1, batch):
            rows = order[i : i + batch]
            loss = nn.functional.cross_entropy(model(images[rows]), labels[rows], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(images):.4f}, test {accuracy(model, *test):.4f}", flush=True)


def export(model, path):
    model.eval()
    network = nn.Sequential(model, nn.Softmax(dim=1))
    torch.onnx.export(
        network.eval(),
        torch.zeros(1, 1, 32, 32),
        path,
        opset_version=13,
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_axes={"image": {0: "N"}, "probabilities": {0: "N"}},
        # Anything but EVAL keeps batch normalization as a node of its own.
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    name_graph(path)


def name_graph(path):
    model = onnx.load(path)
    model.graph.name = "glyphs"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder written by make-glyph-dataset.mjs")
    parser.add_argument("output", help=".onnx file to write")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)

    def load(name):
        images = torch.from_numpy(np.load(f"{options.data}/{name}_images.npy"))
        return images, torch.from_numpy(np.load(f"{options.data}/{name}_labels.npy"))

    images, labels = load("train")
    test = load("test")
    model = GlyphNet(int(labels.max()) + 1)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    train(model, images, labels, test, options.epochs, batch=128)
    export(model, options.output)


if __name__ == "__main__":
    main()
