// Times layers with several contestants in one process, in turns. bench/layers/main.ts starts it and reads its output.
//
//   lowp_layer_bench --contestant LABEL=LIBRARY… --layers FILE|- [--isa NAME] [--threads N] [--rounds N] [--ms T]
//                    [--cold] [--peaks]
//
// Prints one JSON object a line: host, peak, layer. The first contestant is the one the others are compared with.
// Warm (default): a layer runs again and again on the same memory. Cold: the list is one network; a round walks through
// all its layers in order, each with weights of its own, activations in two buffers that take turns.
// Threads are pinned to the first CPUs of the process's affinity mask.
#include <dlfcn.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include "clock.h"
#include "data.h"
#include "cpu/peaks.h"
#include "layer.h"

namespace layer_bench {
namespace {

struct Options {
  std::vector<std::pair<std::string, std::string>> contestants;
  std::string layers = "-", isa = "native";
  uint32_t threads = 1, rounds = 11;
  double seconds = 0.008;
  bool cold = false, peaks = false;
};

struct Player {
  std::string label;
  const Contestant* contestant;
};

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "lowp_layer_bench: %s\n", message.c_str());
  std::exit(2);
}

// What is not the name of a level is no limit.
lowp::Isa LevelOf(const std::string& name) {
  lowp::Isa isa;
  return lowp::ParseIsa(name.c_str(), &isa) ? isa : lowp::DetectIsa();
}

std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + '"';
}

struct FreeBytes {
  void operator()(void* p) const { std::free(p); }
};
using Bytes = std::unique_ptr<void, FreeBytes>;

Bytes Allocate(size_t size) {
  size = (size + 128 + 4095) & ~size_t{4095};
  void* p = std::aligned_alloc(4096, size);
  if (!p) Fail("no memory");
  std::memset(p, 0, size);
  return Bytes(p);
}

// One contestant's instance of one layer.
struct Seat {
  const Player* player = nullptr;
  Instance* instance = nullptr;
  std::string error;
  Bytes x, y;
  std::vector<double> rounds;
  int inner = 1;  // runs in one sample, so that a sample is long beside the clock

  Seat() = default;
  Seat(Seat&& other) noexcept { *this = std::move(other); }
  Seat& operator=(Seat&& other) noexcept {
    std::swap(player, other.player);
    std::swap(instance, other.instance);
    error.swap(other.error);
    x.swap(other.x);
    y.swap(other.y);
    rounds.swap(other.rounds);
    inner = other.inner;
    return *this;
  }
  ~Seat() {
    if (instance) player->contestant->destroy(instance);
  }

  void Run() { player->contestant->run(instance); }
};

Seat TakeSeat(const Player& player, const Layer& layer, const Data& data) {
  Seat seat;
  seat.player = &player;
  const char* error = nullptr;
  seat.instance = player.contestant->create(layer, data.operands(layer.integer()), &error);
  if (!seat.instance) seat.error = error ? error : "not supported";
  return seat;
}

// Gives the seat memory of its own, loads x, runs once and returns y.
std::vector<uint8_t> FirstRun(Seat& seat, const Layer& layer, const Data& data) {
  const Contestant& c = *seat.player->contestant;
  seat.x = Allocate(c.x_bytes(seat.instance));
  seat.y = Allocate(c.y_bytes(seat.instance));
  c.bind(seat.instance, seat.x.get(), seat.y.get());
  c.load(seat.instance, data.x.data());
  seat.Run();
  std::vector<uint8_t> y(layer.y_count() * layer.element());
  c.read(seat.instance, y.data());
  return y;
}

std::vector<Seat> TakeSeats(const std::vector<Player>& players, const Layer& layer, const Data& data,
                            std::vector<Difference>* differences) {
  std::vector<Seat> seats;
  std::vector<uint8_t> expected;
  for (const Player& player : players) {
    seats.push_back(TakeSeat(player, layer, data));
    differences->push_back({});
    if (!seats.back().instance) continue;
    const std::vector<uint8_t> y = FirstRun(seats.back(), layer, data);
    if (expected.empty()) expected = y;
    else differences->back() = Compare(layer, expected, y);
  }
  return seats;
}

// Contestants must agree where nothing can saturate: within a step, or 1e-4 of the largest float.
void CheckAgreement(const std::vector<Player>& players, const Layer& layer) {
  std::vector<Difference> differences;
  TakeSeats(players, layer, MakeData(layer, 64), &differences);
  for (size_t i = 0; i < players.size(); i++) {
    if (differences[i].largest <= (layer.integer() ? 1 : 1e-4)) continue;
    Fail(layer.name + ": " + players[i].label + " and " + players[0].label + " differ by " +
         std::to_string(differences[i].largest));
  }
}

struct Turn {
  double seconds = 0;
  bool disturbed = false;  // no run kept its CPU
};

// Median seconds of one run over at least `seconds`. Runs in which a thread lost its CPU do not count while others do;
// up to four times as long is tried to get some. Threads of others get 10 ms to fall asleep first.
Turn TakeTurn(Seat& seat, double seconds, uint32_t threads) {
  const double settled = Now() + (threads > 1 ? 0.01 : 0);
  double begin = Now();
  do seat.Run();
  while (Now() < settled);
  begin = Now();
  seat.Run();
  seat.inner = std::max(1, static_cast<int>(20e-6 / (Now() - begin)));
  std::vector<double> clean, preempted;
  const double start = Now();
  do {
    const long before = Preemptions();
    begin = Now();
    for (int i = 0; i < seat.inner; i++) seat.Run();
    const double sample = (Now() - begin) / seat.inner;
    (Preemptions() == before ? clean : preempted).push_back(sample);
  } while (Now() < start + seconds || (clean.empty() && Now() < start + 4 * seconds));
  return {Median(clean.empty() ? preempted : clean), clean.empty()};
}

// Calls `round` until `count` rounds went undisturbed, or as many were repeated; returns the number of repeats.
template <class F>
uint32_t Rounds(uint32_t count, Calibration* calibration, F round) {
  uint32_t repeats = 0;
  for (uint32_t done = 0; done < count;) {
    bool disturbed = calibration->Disturbed();
    const auto commit = round(done, [&](bool turn) { disturbed |= turn | calibration->Disturbed(); });
    if (disturbed && repeats < count) {
      repeats++;
      continue;
    }
    commit();
    done++;
  }
  return repeats;
}

void PrintLayer(const Layer& layer, const std::vector<Seat*>& seats, const std::vector<Difference>& differences,
                uint32_t repeats) {
  const char* types[] = {"f32", "u8s8", "u8s7", "trained"};
  std::printf("{\"kind\":\"layer\",\"name\":%s,\"type\":\"%s\",\"operations\":%.0f,\"repeats\":%u,\"contestants\":[",
              Quote(layer.name).c_str(), types[static_cast<int>(layer.type)], layer.operations(), repeats);
  for (size_t i = 0; i < seats.size(); i++) {
    const Seat& seat = *seats[i];
    std::printf("%s{\"label\":%s,", i ? "," : "", Quote(seat.player->label).c_str());
    if (!seat.instance) {
      std::printf("\"error\":%s}", Quote(seat.error).c_str());
      continue;
    }
    const char* implementation = seat.player->contestant->implementation(seat.instance);
    std::printf("\"implementation\":%s,\"differing\":%.3g,\"rounds\":[", Quote(implementation).c_str(),
                i < differences.size() ? differences[i].share : 0.0);
    for (size_t r = 0; r < seat.rounds.size(); r++) std::printf("%s%.4g", r ? "," : "", seat.rounds[r]);
    std::printf("]}");
  }
  std::printf("]}\n");
  std::fflush(stdout);
}

uint32_t MostWeight(const Layer& layer) { return layer.type == Type::kU8S7 ? 64 : 127; }

void MeasureWarm(const Options& options, const std::vector<Player>& players, const Layer& layer, Calibration* calibration) {
  if (players.size() > 1) CheckAgreement(players, layer);
  std::vector<Difference> differences;
  std::vector<Seat> seats = TakeSeats(players, layer, MakeData(layer, MostWeight(layer)), &differences);
  std::vector<Seat*> all;
  for (Seat& seat : seats) all.push_back(&seat);
  const uint32_t repeats = Rounds(options.rounds, calibration, [&](uint32_t round, auto between) {
    std::vector<double> times(seats.size());
    for (size_t i = 0; i < seats.size(); i++) {
      const size_t at = round % 2 ? seats.size() - 1 - i : i;
      const Turn turn = seats[at].instance ? TakeTurn(seats[at], options.seconds, options.threads) : Turn();
      times[at] = turn.seconds;
      between(turn.disturbed);
    }
    return [&seats, times] {
      for (size_t i = 0; i < seats.size(); i++) seats[i].rounds.push_back(times[i]);
    };
  });
  PrintLayer(layer, all, differences, repeats);
}

// All layers of a network for one contestant, activations in two buffers.
struct Walk {
  std::vector<Seat> seats;
  Bytes buffers[2];
};

Walk PrepareWalk(const Player& player, const std::vector<Layer>& layers) {
  Walk walk;
  size_t bytes = 0;
  for (const Layer& layer : layers) {
    const Data data = MakeData(layer, MostWeight(layer));
    walk.seats.push_back(TakeSeat(player, layer, data));
    Seat& seat = walk.seats.back();
    if (!seat.instance) continue;
    bytes = std::max({bytes, player.contestant->x_bytes(seat.instance), player.contestant->y_bytes(seat.instance)});
  }
  for (Bytes& buffer : walk.buffers) buffer = Allocate(bytes);
  for (size_t i = 0; i < layers.size(); i++) {
    Seat& seat = walk.seats[i];
    if (!seat.instance) continue;
    player.contestant->bind(seat.instance, walk.buffers[i % 2].get(), walk.buffers[1 - i % 2].get());
    if (i == 0) player.contestant->load(seat.instance, MakeData(layers[0], MostWeight(layers[0])).x.data());
  }
  return walk;
}

std::vector<double> TakeWalk(Walk& walk) {
  std::vector<double> times;
  for (Seat& seat : walk.seats) {
    const double begin = Now();
    if (seat.instance) seat.Run();
    times.push_back(Now() - begin);
  }
  return times;
}

void MeasureCold(const Options& options, const std::vector<Player>& players, const std::vector<Layer>& layers,
                 Calibration* calibration) {
  std::vector<Walk> walks;
  for (const Player& player : players) walks.push_back(PrepareWalk(player, layers));
  const uint32_t repeats = Rounds(options.rounds, calibration, [&](uint32_t round, auto between) {
    std::vector<std::vector<double>> times(walks.size());
    for (size_t i = 0; i < walks.size(); i++) {
      const size_t at = round % 2 ? walks.size() - 1 - i : i;
      const double settled = Now() + (options.threads > 1 ? 0.01 : 0);
      do TakeWalk(walks[at]);
      while (Now() < settled);
      times[at] = TakeWalk(walks[at]);
      between(false);
    }
    return [&walks, times] {
      for (size_t w = 0; w < walks.size(); w++)
        for (size_t i = 0; i < times[w].size(); i++) walks[w].seats[i].rounds.push_back(times[w][i]);
    };
  });
  for (size_t i = 0; i < layers.size(); i++) {
    std::vector<Seat*> seats;
    for (Walk& walk : walks) seats.push_back(&walk.seats[i]);
    PrintLayer(layers[i], seats, {}, i == 0 ? repeats : 0);
  }
}

std::vector<int> AllowedCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

void Pin(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) Fail("cannot pin to a CPU");
}

std::vector<Player> StartPlayers(const Options& options, const std::vector<int>& cpus) {
  std::vector<Player> players;
  for (const auto& [label, path] : options.contestants) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) Fail(dlerror());
    const auto* contestant = static_cast<const Contestant*>(dlsym(library, "layer_contestant"));
    if (!contestant) Fail(path + " is not a contestant");
    if (const char* error = contestant->start(options.isa.c_str(), cpus.data(), options.threads))
      Fail(label + ": " + error);
    players.push_back({label, contestant});
  }
  return players;
}

std::vector<Layer> ReadLayers(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) Fail("cannot read " + file);
  std::vector<Layer> layers;
  std::string line, error;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    Layer layer;
    if (!ParseLayer(line, &layer, &error)) Fail(error);
    layers.push_back(layer);
  }
  return layers;
}

Options ParseOptions(int argc, char** argv) {
  Options o;
  if (const char* isa = std::getenv("LOWP_MAX_ISA")) o.isa = isa;
  for (int i = 1; i < argc; i++) {
    const std::string key = argv[i];
    if (key == "--cold") { o.cold = true; continue; }
    if (key == "--peaks") { o.peaks = true; continue; }
    if (i + 1 == argc) Fail("unknown option or missing value: " + key);
    const std::string value = argv[++i];
    const size_t equals = value.find('=');
    if (key == "--contestant" && equals != std::string::npos)
      o.contestants.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    else if (key == "--layers") o.layers = value;
    else if (key == "--isa") o.isa = value;
    else if (key == "--threads") o.threads = static_cast<uint32_t>(std::atoi(value.c_str()));
    else if (key == "--rounds") o.rounds = static_cast<uint32_t>(std::atoi(value.c_str()));
    else if (key == "--ms") o.seconds = std::atof(value.c_str()) * 1e-3;
    else Fail("unknown option " + key);
  }
  if (o.contestants.empty() || o.threads == 0 || o.rounds == 0) Fail("--contestant LABEL=LIBRARY is needed; --threads and --rounds are at least 1");
  return o;
}

void Main(const Options& options) {
  std::vector<int> cpus = AllowedCpus();
  if (cpus.size() < options.threads)
    Fail(std::to_string(options.threads) + " threads need as many CPUs, this process may use " + std::to_string(cpus.size()));
  cpus.resize(options.threads);
  Pin(cpus);
  const std::vector<Player> players = StartPlayers(options, cpus);
  Pin({cpus[0]});
  std::printf("{\"kind\":\"host\",\"threads\":%u,\"cpus\":[", options.threads);
  for (size_t i = 0; i < cpus.size(); i++) std::printf("%s%d", i ? "," : "", cpus[i]);
  std::printf("],\"contestants\":[");
  for (size_t i = 0; i < players.size(); i++)
    std::printf("%s{\"label\":%s,\"version\":%s}", i ? "," : "", Quote(players[i].label).c_str(),
                Quote(players[i].contestant->version()).c_str());
  std::printf("]}\n");
  Calibration calibration;
  for (int i = 0; i < 50; i++) calibration.Disturbed();
  if (options.peaks)
    for (const lowp::ArithmeticPeak& peak : lowp::MeasureArithmetic(LevelOf(options.isa)))
      std::printf("{\"kind\":\"peak\",\"name\":\"%s\",\"type\":\"%s\",\"isa\":\"%s\",\"gops\":%.1f}\n", peak.name, peak.type,
                  lowp::IsaName(peak.isa), peak.gops);
  const std::vector<Layer> layers = ReadLayers(options.layers);
  if (options.cold) MeasureCold(options, players, layers, &calibration);
  else
    for (const Layer& layer : layers) MeasureWarm(options, players, layer, &calibration);
  std::printf("{\"kind\":\"calibration\",\"spread\":%.4f}\n", calibration.spread());
}

}  // namespace
}  // namespace layer_bench

int main(int argc, char** argv) { layer_bench::Main(layer_bench::ParseOptions(argc, argv)); }
